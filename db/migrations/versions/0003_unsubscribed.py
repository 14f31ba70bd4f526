"""Subscribers who unsubscribed are remembered, so that the links of all their mails go on working."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the state; the constraint was named twice by the convention."""
    op.execute("""
        ALTER TABLE subscribers
            DROP CONSTRAINT subscribers_subscribers_state_check_check,
            ALTER COLUMN state TYPE text,
            ADD CONSTRAINT subscribers_state_check CHECK (state IN ('pending', 'confirmed', 'unsubscribed'));
    """)
