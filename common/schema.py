"""The tables that several services touch. All tables share this MetaData and one history."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
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
NOW = text("clock_timestamp()")  # now() is when the transaction began, which may be long ago

# What several mails have in common: the content, and what headers are the same for all. Never
# changed, so it is kept apart from the rows that change with every try.
mail_bodies = Table(
    "mail_bodies",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
)

# Mail that waits, and mail that went: one row for each recipient, written by the application in its
# own transaction, finished, so that every try sends the same bytes: head, then the body's content.
# State is queued, sent, unsure (it may have arrived), dead (refused or given up), expired, suppressed
# or cancelled. A mailer that holds the mail just now has put its number into lease_by.
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("kind", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default="5"),  # 1 goes first, 9 last
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("head", LargeBinary, nullable=False, server_default=""),
    Column("body_id", BigInteger, ForeignKey("mail_bodies.id", ondelete="SET NULL")),
    Column("dedupe_key", Text),
    Column("when_unsure", Text, nullable=False, server_default="resend"),  # or hold
    Column("request_id", Text),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),  # those charged to it
    Column("crashes", SmallInteger, nullable=False, server_default="0"),  # mailers that died of it
    Column("due_at", INSTANT, nullable=False, server_default=NOW),
    Column("expires_at", INSTANT),
    Column("lease_by", Integer),
    Column("last_code", SmallInteger),
    Column("last_error", Text),
    Column("reply", Text),  # the relay's consent, with the relay's own name for the mail
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("first_try_at", INSTANT),
    Column("done_at", INSTANT),  # when it took the state that it has, if that is an end
    Index("outbox_message_index", "message_id", "recipient", unique=True),
    Index(
        "outbox_dedupe_index",
        "dedupe_key",
        "recipient",
        unique=True,
        postgresql_where=text("dedupe_key IS NOT NULL AND state IN ('queued', 'sent', 'unsure')"),
    ),
    Index(
        "outbox_fresh_index",
        "priority",
        "due_at",
        "id",
        postgresql_where=text("state = 'queued' AND attempts = 0"),
    ),
    Index(
        "outbox_retry_index",
        "priority",
        "due_at",
        "id",
        postgresql_where=text("state = 'queued' AND attempts > 0"),
    ),
    Index("outbox_sent_index", "done_at", postgresql_where=text("state = 'sent'")),
    Index(
        "outbox_expiry_index",
        "expires_at",
        postgresql_where=text("state = 'sent' AND body_id IS NOT NULL AND expires_at IS NOT NULL"),
    ),
    Index(
        "outbox_attention_index",
        "state",
        "done_at",
        postgresql_where=text("state NOT IN ('queued', 'sent')"),
    ),
    Index("outbox_body_index", "body_id", "state"),
    Index(
        "outbox_state_index",
        "state",
        "id",
        postgresql_where=text("state NOT IN ('queued', 'sent')"),
    ),
)
Index(
    "outbox_recipient_index", func.reverse(func.lower(outbox.c.recipient))
)  # a domain is a beginning

# Each try that failed; those that did not are told by the outbox alone.
mail_attempts = Table(
    "mail_attempts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "mail_id",
        BigInteger,
        ForeignKey("outbox.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("at", INSTANT, nullable=False, server_default=NOW),
    Column("mailer", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("scope", Text, nullable=False),  # whose fault it was: see mailer.smtp.verdict
    Column("code", SmallInteger),
    Column("reason", Text, nullable=False),
    Column("milliseconds", Integer, nullable=False),
)

# What holds mail back: a row is a closed gate. Its name is relay, quota, pause, or pause:<kind>.
mail_gates = Table(
    "mail_gates",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cause", Text, nullable=False),  # credentials, login, server, quota, operator
    Column("reason", Text, nullable=False),
    Column("since", INSTANT, nullable=False, server_default=NOW),
    Column("next_probe_at", INSTANT),  # null: only an operator opens it
    Column("probes", Integer, nullable=False, server_default="0"),
)

# Addresses that get no more mail: of one kind (they unsubscribed) or any (scope *: they do not exist).
mail_suppressions = Table(
    "mail_suppressions",
    metadata,
    Column("address", Text, primary_key=True),  # in lower case
    Column("scope", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", INSTANT, nullable=False, server_default=NOW),
)

# The mailers. One that lives holds the lock of its number (common.mailer_locks), and renews its lease.
mailers = Table(
    "mailers",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("host", Text, nullable=False),
    Column("started_at", INSTANT, nullable=False, server_default=NOW),
    Column("lease_until", INSTANT, nullable=False),
    Column("connections", Integer),
    Column("daily_quota", Integer),  # 0: none
)

# What was sent in each hour and day that is over, of a kind or of all (*), and how long half of it
# and 95 of 100 took at most, from when it could go to when the relay took it. Length is hour or day.
mail_tallies = Table(
    "mail_tallies",
    metadata,
    Column("length", Text, primary_key=True),
    Column("begins_at", INSTANT, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("sent", Integer, nullable=False),
    Column("half_seconds", Double),
    Column("most_seconds", Double),
)

# When each part was last seen at work, and what stands in its way (null: nothing).
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("part", Text, primary_key=True),
    Column("beat_at", INSTANT, nullable=False),
    Column("trouble", Text),
)

# One row per run of the backup; the manifest in the catalogue is the truth, this is its mirror.
# State is running, stored, proven or failed; kind is logical or base.
backups = Table(
    "backups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False, server_default="logical"),
    Column("state", Text, nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    Column("verified_at", INSTANT),  # when it was last restored and found equal
    Column("bytes", BigInteger),  # as read
    Column("bytes_stored", BigInteger),  # what the repository grew by
    Column("tables", JSONB),  # name: rows
    Column("steps", JSONB, nullable=False, server_default="{}"),  # name: seconds
    Column("copies", JSONB, nullable=False, server_default="{}"),  # target: when it came there
    Column("reason", Text),
    Index("backups_started_at_index", "started_at"),
)

# Where backups lie, and how each does. Recoverable is any instant between the two.
backup_targets = Table(
    "backup_targets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("location", Text, nullable=False),
    Column("off_site", Boolean, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Column("trouble", Text),  # null: none
    Column("bytes", BigInteger),
    Column("bytes_limit", BigInteger),  # null: no limit
    Column("recoverable_from", INSTANT),
    Column("recoverable_until", INSTANT),
)

# What each target took, day by day.
backup_sizes = Table(
    "backup_sizes",
    metadata,
    Column("target", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
)

# Rehearsals: data read anew, a restore to a random instant. Kind is read or instant.
backup_drills = Table(
    "backup_drills",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
)

# When the backup worker does next what it does by schedule: take, drill.
backup_plans = Table(
    "backup_plans",
    metadata,
    Column("verb", Text, primary_key=True),
    Column("next_at", INSTANT, nullable=False),
)

# How each part was found, minute by minute; state is up, degraded or down. A minute without a row was not measured.
probes = Table(
    "probes",
    metadata,
    Column("part", Text, primary_key=True),
    Column("minute", INSTANT, primary_key=True),
    Column("state", Text, nullable=False),
    Index("probes_minute_index", "minute"),
)

# The same by day: how many minutes in each state.
probe_days = Table(
    "probe_days",
    metadata,
    Column("part", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("up", Integer, nullable=False, server_default="0"),
    Column("degraded", Integer, nullable=False, server_default="0"),
    Column("down", Integer, nullable=False, server_default="0"),
)

# What web asks of the part that can do it, and how far that has come: waiting, running, done or failed.
jobs = Table(
    "jobs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("part", Text, nullable=False),  # mailer or backup
    Column("verb", Text, nullable=False),
    Column("arguments", JSONB, nullable=False, server_default="{}"),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("asked_at", INSTANT, nullable=False, server_default=NOW),
    Column("began_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("steps", JSONB, nullable=False, server_default="[]"),
    Column("answer", JSONB),
    Column("once", Text),  # the form that asked it: sent again, it asks for nothing more
    Index("jobs_once_index", "once", postgresql_where=text("once IS NOT NULL")),
    Index(
        "jobs_waiting_index",
        "part",
        "id",
        postgresql_where=text("state IN ('waiting', 'running')"),
    ),
    Index("jobs_asked_at_index", "asked_at"),
)

# The revision in db/migrations that this code was written for; /readyz compares it with the database's.
HEAD = "0006"
