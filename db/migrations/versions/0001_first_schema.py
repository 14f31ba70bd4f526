"""The first schema: outbox, heartbeats, backups, subscribers, accounts, and who may do what with them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)
GRANTS = """
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO keelson_web, keelson_mailer, keelson_backup;

    GRANT SELECT, INSERT, UPDATE, DELETE ON subscribers, accounts TO keelson_web;
    GRANT SELECT, INSERT, DELETE ON outbox TO keelson_web;
    GRANT SELECT ON heartbeats, backups, alembic_version TO keelson_web;

    GRANT SELECT, UPDATE ON outbox TO keelson_mailer;
    GRANT SELECT, INSERT, UPDATE ON heartbeats TO keelson_mailer;

    GRANT INSERT, UPDATE, DELETE ON backups TO keelson_backup;
    GRANT INSERT, UPDATE ON heartbeats TO keelson_backup;
"""


def upgrade() -> None:
    """Make the tables, then grant each role the least that it needs."""
    outbox()
    heartbeats()
    backups()
    subscribers()
    accounts()
    op.execute(GRANTS)


def outbox() -> None:
    """Mail that waits, and mail that went."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("state", sa.String(8), nullable=False, server_default="queued"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("due_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("last_error", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("sent_at", INSTANT),
        sa.UniqueConstraint("message_id", name="outbox_message_id_key"),
        sa.CheckConstraint("state IN ('queued', 'sent', 'refused')", name="outbox_state_check"),
    )
    op.create_index(
        "outbox_due_index", "outbox", ["due_at"], postgresql_where=sa.text("state = 'queued'")
    )


def heartbeats() -> None:
    """When each part was last seen at work."""
    op.create_table(
        "heartbeats",
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("beat_at", INSTANT, nullable=False),
        sa.Column("trouble", sa.Text),
    )


def backups() -> None:
    """One row per run of the backup."""
    op.create_table(
        "backups",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("tables", JSONB),
        sa.Column("reason", sa.Text),
        sa.CheckConstraint("state IN ('running', 'proven', 'failed')", name="backups_state_check"),
    )


def subscribers() -> None:
    """People who asked for notices by e-mail."""
    op.create_table(
        "subscribers",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("state", sa.String(9), nullable=False, server_default="pending"),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("token_expires_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("confirmed_at", INSTANT),
        sa.UniqueConstraint("token_hash", name="subscribers_token_hash_key"),
        sa.CheckConstraint("state IN ('pending', 'confirmed')", name="subscribers_state_check"),
    )
    op.create_index("subscribers_email_key", "subscribers", [sa.text("lower(email)")], unique=True)


def accounts() -> None:
    """People who sign in."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("role", sa.String(8), nullable=False, server_default="member"),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("role IN ('member', 'operator')", name="accounts_role_check"),
    )
    op.create_index("accounts_email_key", "accounts", [sa.text("lower(email)")], unique=True)
