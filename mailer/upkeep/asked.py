"""What operators asked, and what came of it, is kept for 90 days; what still waits stays until it is done."""

from sqlalchemy import Engine, text

PRUNE = text("""
    DELETE FROM jobs
     WHERE asked_at < now() - interval '90 days' AND state IN ('done', 'failed')
""")


def prune(engine: Engine) -> int:
    """Remove what is older, and return how many jobs that was; safe to repeat."""
    with engine.begin() as transaction:
        return transaction.execute(PRUNE).rowcount
