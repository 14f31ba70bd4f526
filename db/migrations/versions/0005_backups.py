"""Backups with their steps and copies, the targets they lie at, and the drills."""

from alembic import op

revision = "0005"
down_revision = "0004"

# A run is stored once a repository has it, and proven once it was restored from there and found equal.
RUNS = """
    ALTER TABLE backups
        DROP CONSTRAINT backups_backups_state_check_check, -- it knew no stored ones
        ALTER COLUMN state TYPE text,
        ADD COLUMN kind text NOT NULL DEFAULT 'logical'
            CONSTRAINT backups_kind_check CHECK (kind IN ('logical', 'base')),
        ADD COLUMN bytes_stored bigint,
        ADD COLUMN steps jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN copies jsonb NOT NULL DEFAULT '{}',
        ADD CONSTRAINT backups_state_check CHECK (state IN ('running', 'stored', 'proven', 'failed'));
    CREATE INDEX backups_started_at_index ON backups (started_at);
"""

TARGETS = """
    CREATE TABLE backup_targets (
        name text CONSTRAINT backup_targets_pkey PRIMARY KEY,
        location text NOT NULL,
        off_site boolean NOT NULL,
        seen_at timestamptz NOT NULL,
        trouble text,
        bytes bigint,
        bytes_limit bigint,
        recoverable_from timestamptz,
        recoverable_until timestamptz
    );
    CREATE TABLE backup_sizes (
        target text NOT NULL,
        day date NOT NULL,
        bytes bigint NOT NULL,
        CONSTRAINT backup_sizes_pkey PRIMARY KEY (target, day)
    );
"""

DRILLS = """
    CREATE TABLE backup_drills (
        id text CONSTRAINT backup_drills_pkey PRIMARY KEY,
        kind text NOT NULL CONSTRAINT backup_drills_kind_check CHECK (kind IN ('read', 'instant')),
        target text NOT NULL,
        started_at timestamptz NOT NULL,
        finished_at timestamptz NOT NULL,
        passed boolean NOT NULL,
        detail text NOT NULL
    );
"""

# backup writes alerts into the outbox, and reads it as it reads everything.
GRANTS = """
    GRANT SELECT ON backup_targets, backup_sizes, backup_drills TO keelson_web;
    GRANT INSERT, UPDATE, DELETE ON backup_targets, backup_sizes, backup_drills TO keelson_backup;
    GRANT INSERT ON outbox, mail_bodies TO keelson_backup;
"""


def upgrade() -> None:
    """Add what the catalogue shows, then let backup write it and web read it."""
    for statements in (RUNS, TARGETS, DRILLS, GRANTS):
        op.execute(statements)
