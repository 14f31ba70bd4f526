"""Who unsubscribed is remembered, contents go when they have expired, and web may do less with mail."""

from alembic import op

revision = "0003"
down_revision = "0002"

# So that the links of all mails go on working. The constraint was named twice by the convention.
SUBSCRIBERS = """
    ALTER TABLE subscribers
        DROP CONSTRAINT subscribers_subscribers_state_check_check,
        ALTER COLUMN state TYPE text,
        ADD CONSTRAINT subscribers_state_check CHECK (state IN ('pending', 'confirmed', 'unsubscribed'));
"""

# What is sent and let go of leaves this index, so it stays small.
EXPIRY = """
    CREATE INDEX outbox_expiry_index ON outbox (expires_at)
        WHERE state = 'sent' AND body_id IS NOT NULL AND expires_at IS NOT NULL;
"""

# The number is what a content is put with. Whether web may read the content, migrate.py says.
GRANTS = """
    REVOKE DELETE ON outbox FROM keelson_web;
    REVOKE SELECT ON mail_bodies FROM keelson_web;
    GRANT SELECT (id) ON mail_bodies TO keelson_web;
"""


def upgrade() -> None:
    """Add the state and the index, then take back what nothing uses."""
    for statements in (SUBSCRIBERS, EXPIRY, GRANTS):
        op.execute(statements)
