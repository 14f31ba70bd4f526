"""Restoring: into a new database, which takes the live one's place only once it is found equal."""

from datetime import datetime

import structlog
from psycopg2.errors import ObjectInUse
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from backup.catalogue.manifest import Fingerprint
from backup.content import reading, schema
from backup.errors import BackupError, RefusedError
from backup.postgres import databases, sessions
from backup.restoring.progress import Progress
from backup.restoring.sources import Source
from backup.settings import Settings
from backup.taking import proof
from common.database import reason_of

log = structlog.get_logger(__name__)

MAINTENANCE = "postgres"  # where we stand while `keelson` gets its new meaning
JOBS = 2  # pg_restore's sessions


def replace(
    source: Source,
    settings: Settings,
    now: datetime,
    progress: Progress,
    *,
    end_connections: bool,
) -> str | None:
    """Put it in the place of the live database; return the name that that one has now, if there was one.

    Raises a BackupError, and then the live database is untouched and serves on. Only for who has
    claimed the folder.
    """
    live = settings.url().database or source.origin.database
    try:
        return _replace(source, settings, live, now, progress, end_connections=end_connections)
    except (SQLAlchemyError, OSError) as error:
        if isinstance(error, OperationalError) and isinstance(error.orig, ObjectInUse):
            message = (
                f"{reason_of(error)}; {live} is as it was; say --end-connections to end theirs"
            )
            raise RefusedError(message) from error
        message = f"{reason_of(error)}; {live} is as it was"
        raise BackupError(message) from error
    except BackupError as error:
        error.args = (f"{error}; {live} is as it was",)
        raise


def _replace(  # noqa: PLR0913 one step of `replace`
    source: Source,
    settings: Settings,
    live: str,
    now: datetime,
    progress: Progress,
    *,
    end_connections: bool,
) -> str | None:
    server = sessions.open_engine(settings.for_database(MAINTENANCE))
    restored = databases.stamped(f"{live}_restore", now)
    kept = databases.stamped(f"{live}_before", now) if databases.exists(server, live) else None
    for start in (f"{live}_restore", f"{live}_reread"):
        databases.drop_stamped(server, start)  # of one that was killed
    with databases.new(server, restored, source.origin.grants):
        again = databases.stamped(f"{live}_reread", now)
        _fill(source, settings.for_database(restored), again, progress)
        with progress.step("swap", f"{restored} becomes {live}"):
            databases.swap(server, live, restored, kept or live, end_connections=end_connections)
    log.info("database restored", target=source.target, before=kept)
    return kept


def _fill(source: Source, settings: Settings, again: str, progress: Progress) -> None:
    """Load the dump, compare it with what was dumped, and gather what queries are planned by."""
    with progress.step("load", "into a new database"):
        proof.load(source.dump, settings.url(), JOBS)
    engine = sessions.open_engine(settings)
    with progress.step("compare", "with what was dumped"):
        digest = schema.sha256(schema.read(settings.url()))
        found = reading.read(engine, digest)
        expected = _expected(source, digest, settings, again)
        proof.require_equal(expected, found, "the restored database")
    with progress.step("analyze", "what queries are planned by"), engine.begin() as connection:
        connection.execute(text("ANALYZE"))


def _expected(source: Source, digest: str, settings: Settings, again: str) -> Fingerprint:
    """Return what must be there: where definitions read otherwise, they are as this server reads the source's.

    A later version of PostgreSQL writes some otherwise; in a database called `again` it reads them once more.
    """
    expected = source.fingerprint
    if source.definitions is None or digest == expected.schema_sha256:
        return expected
    server = sessions.open_engine(settings.for_database(MAINTENANCE))
    with databases.new(server, again, []):
        there = settings.for_database(again).url()
        reread = schema.sha256(schema.loaded(there, source.definitions))
        databases.drop(server, again)
    return expected.model_copy(update={"schema_sha256": reread})
