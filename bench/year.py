"""What a busy site has after a year: a million mails, 100,000 accounts and sign-ins, a year of measurements."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from bench.ground import Ground
from bench.year_of_mail import MAIL
from bench.year_of_operation import OPERATION
from bench.year_of_people import PEOPLE
from mailer.upkeep.tallies import count_what_is_over

INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
     WHERE tablename = 'outbox' AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


def fill(ground: Ground) -> None:
    """Write all of it, as the owner, and have it counted and analysed as it would be by then."""
    owner = ground.database.engine("owner")
    with without_indexes(owner):
        for statement in (*PEOPLE, *MAIL, *OPERATION):
            with owner.begin() as transaction:
                transaction.execute(text(statement))
    tidy(owner)
    count_what_is_over(ground.database.engine("mailer"))


@contextmanager
def without_indexes(owner: Engine) -> Iterator[None]:
    """Make the outbox's indexes of all rows at once: that takes less than half as long."""
    with owner.begin() as transaction:
        indexes = transaction.execute(text(INDEXES)).all()
        for name, _ in indexes:
            transaction.execute(text(f"DROP INDEX {name}"))
    yield
    with owner.begin() as transaction:
        for _, definition in indexes:
            transaction.execute(text(definition))


def tidy(owner: Engine) -> None:
    """Do what autovacuum would have done long ago."""
    with owner.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
