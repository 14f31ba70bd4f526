"""Bring the database's schema and grants to what the code needs, once per deploy; a failure stops the deploy."""

import os
import sys
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from common import logs
from common.database import open_engine
from common.settings import ConfigError, Settings

log = structlog.get_logger("migrate")

LOCK = 0x6B65656C  # any number, the same for all: two deploys at once take turns
LOCK_TIMEOUT = (
    "30s"  # a migration that waits for a table any longer would hold up every reader behind it
)
# What mail says (links, codes) is the mailer's business alone, and so is its end; but the development
# inbox is a page of web.
INBOX = {
    "development": """
        GRANT SELECT (content), DELETE ON mail_bodies TO keelson_web;
        GRANT DELETE ON outbox TO keelson_web;
    """,
    "production": """
        REVOKE SELECT (content), DELETE ON mail_bodies FROM keelson_web;
        REVOKE DELETE ON outbox FROM keelson_web;
    """,
}


def main() -> int:
    """Read the settings and migrate; return the exit code."""
    try:
        settings = Settings.read()
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 logging is not set up yet
        return os.EX_CONFIG
    logs.configure("migrate", settings.log_level)
    try:
        with open_engine(settings, "migrate").connect() as connection:
            migrate(connection, settings.app_env)
    except (SQLAlchemyError, CommandError) as error:
        cause = getattr(error, "orig", None) or error
        log.error(  # noqa: TRY400 the cause says it all, a traceback says nothing more
            "migration failed; the database is as it was, and nothing that needs the new schema starts",
            error=str(cause).strip(),
        )
        return 1
    return 0


def migrate(connection: Connection, app_env: str) -> None:
    """Upgrade to head in one transaction, so that a failure leaves the schema as it was.

    What differs between development and production is granted anew each time: a database may have
    been the other, or was restored from it.
    """
    with connection.begin():
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        before = MigrationContext.configure(connection).get_current_revision()
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.execute(text(INBOX[app_env]))
        after = MigrationContext.configure(connection).get_current_revision()
    if before == after:
        log.info("nothing to migrate", revision=after)
    else:
        log.info("migrated", before=before, revision=after)


if __name__ == "__main__":
    sys.exit(main())
