"""Single tables as they were, in a schema of their own beside the live ones: to look at, to copy from.

They come with their columns, defaults and rows, and without what ties them to other tables: no keys,
no triggers, no grants but the owner's.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Table
from backup.content import fingerprint
from backup.errors import BackupError, DamagedError
from backup.postgres import programs, scratch, sessions
from backup.postgres.databases import STAMP
from backup.restoring.progress import Progress
from backup.restoring.sources import Source
from backup.settings import Settings
from backup.taking import proof
from common.database import reason_of

FIND = text("""
    SELECT relname, relkind = 'r'
      FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
""")
# What a table draws its numbers from moves along with it.
MOVE = "ALTER TABLE public.{table} SET SCHEMA {schema}"
SECTIONS = ["--section=pre-data", "--section=data"]  # post-data would be keys, indexes and triggers
PLAIN = ["--no-owner", "--no-privileges", "--no-password"]


@dataclass(frozen=True, slots=True)
class Restored:
    """Tables that are back, each by its name and rows, in a schema of the live database."""

    schema: str
    rows: Mapping[str, int]

    def advice(self) -> str:
        """Return what to do with them."""
        first = next(iter(self.rows))
        here, live = f"{self.schema}.{quoted(first)}", f"public.{quoted(first)}"
        rows = [
            f"  {self.schema}.{quoted(name)}: {count} rows" for name, count in self.rows.items()
        ]
        back = f"{live} OVERRIDING SYSTEM VALUE SELECT * FROM {here} ON CONFLICT DO NOTHING"  # noqa: S608 for people to read
        lines = [
            "The live tables are untouched. Beside them there are now, in `make psql`:",
            *rows,
            f"To look:        SELECT * FROM {here} LIMIT 10;",  # noqa: S608 as above
            f"To bring back:  INSERT INTO {back};",
            f"To drop:        DROP SCHEMA {self.schema} CASCADE;",
        ]
        return "\n".join(lines)


def schema_of(now: datetime) -> str:
    """Return the name of the schema that tables are restored into now."""
    return f"restored_{now.strftime(STAMP)}"


@contextmanager
def server_of(source: Source, folder: Folder, progress: Progress) -> Iterator[URL]:
    """Have a server of our own with a backup's whole database in it."""
    with scratch.server(folder.scratch) as url:
        with progress.step("load", "into a server of our own"):
            with scratch.open_engine(url).connect() as connection:
                proof.make_roles(connection, source.origin.roles)
            proof.load(source.dump, url)
        yield url


def beside(  # noqa: PLR0913, PLR0917 what, from where, to where, and who is told
    tables: Sequence[str],
    url: URL,
    folder: Folder,
    settings: Settings,
    schema: str,
    progress: Progress,
) -> Restored:
    """Bring these tables from a server of our own into a schema of the live database: all, or none."""
    dump = folder.stage / "tables.dump"
    try:
        with progress.step("dump", ", ".join(tables)):
            expected = _moved(tables, url, schema)
            _dump(url, schema, dump)
        with progress.step("copy", f"into {schema}"):
            _load(dump, settings)
        with progress.step("compare", "with what was there"):
            return _compared(tables, expected, settings, schema)
    except (SQLAlchemyError, OSError) as error:
        message = f"{reason_of(error)}; the live tables are as they were"
        raise BackupError(message) from error
    finally:
        dump.unlink(missing_ok=True)


def _moved(tables: Sequence[str], url: URL, schema: str) -> dict[str, Table]:
    """Give these tables a schema of their own, where they are a copy anyway."""
    with scratch.open_engine(url).begin() as connection:
        _require(tables, connection)
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        for table in tables:
            statement = MOVE.format(table=quoted(table), schema=schema)
            connection.exec_driver_sql(statement)
        fingerprint.write_plain_text(connection)
        return fingerprint.tables(connection, [f"{schema}.{quoted(t)}" for t in tables])


def _require(tables: Sequence[str], connection: Connection) -> None:
    """Raise a BackupError where one is not there, or is not a plain table."""
    plain = {name: is_plain for name, is_plain in connection.execute(FIND)}  # noqa: C416 rows to pairs
    for table in tables:
        if table not in plain:
            message = f"there was no table {table}; there were: {', '.join(sorted(plain))}"
            raise BackupError(message)
        if not plain[table]:
            message = f"{table} is partitioned; name its partitions, which hold its rows"
            raise BackupError(message)


def _dump(url: URL, schema: str, out: Path) -> None:
    out.parent.mkdir(mode=0o700, exist_ok=True)
    options = ["--format=custom", "--compress=zstd:1", *SECTIONS, *PLAIN, f"--schema={schema}"]
    with out.open("wb") as output:
        programs.run("pg_dump", *options, "--dbname", programs.conninfo(url), output=output)


def _load(dump: Path, settings: Settings) -> None:
    url = settings.url()
    target = ["--dbname", programs.conninfo(url), *PLAIN]
    programs.run("pg_restore", "--single-transaction", *target, str(dump), password=url.password)


def _compared(
    tables: Sequence[str], expected: Mapping[str, Table], settings: Settings, schema: str
) -> Restored:
    """Return what is there now; where it is not what was, it goes again."""
    names = [f"{schema}.{quoted(table)}" for table in tables]
    with sessions.open_engine(settings).begin() as connection:
        fingerprint.write_plain_text(connection)
        found = fingerprint.tables(connection, names)
    if found != expected:
        with sessions.open_engine(settings).begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
        message = f"what came into {schema} is not what was there; it is removed again"
        raise DamagedError(message)
    return Restored(schema, {t: found[name].rows for t, name in zip(tables, names, strict=True)})


def quoted(name: str) -> str:
    """Return a name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'
