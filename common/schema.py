"""The tables that several services touch. All tables share this MetaData and one history."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

INSTANT = DateTime(timezone=True)

# Mail that waits, and mail that went: written by the application in its own transaction, finished,
# with Message-ID and all, so that every try sends the same bytes. State is queued, sent or refused.
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("state", String(8), nullable=False, server_default="queued"),
    Column("kind", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message_id", Text, nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
    Column("request_id", Text),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("due_at", INSTANT, nullable=False, server_default=func.now()),
    Column("last_error", Text),
    Column("created_at", INSTANT, nullable=False, server_default=func.now()),
    Column("sent_at", INSTANT),
    Index("outbox_due_index", "due_at", postgresql_where=text("state = 'queued'")),
)

# When each part was last seen at work, and what stands in its way (null: nothing).
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("part", Text, primary_key=True),
    Column("beat_at", INSTANT, nullable=False),
    Column("trouble", Text),
)

# One row per run of the backup; the manifest beside the file is the truth, this is its mirror.
# State is running, proven or failed.
backups = Table(
    "backups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", String(8), nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    Column("bytes", BigInteger),
    Column("tables", JSONB),
    Column("reason", Text),
)

# The revision in db/migrations that this code was written for; /readyz compares it with the database's.
HEAD = "0001"
