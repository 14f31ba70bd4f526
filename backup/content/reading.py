"""A database's fingerprint, read in several sessions at once: of one snapshot, or of what nobody writes to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from backup.catalogue.manifest import Fingerprint, Table
from backup.content import fingerprint

SESSIONS = 2
SHARE = 16384  # blocks, mostly of 8 kB, that a session reads before it looks for more
BLOCKS = text("""
    SELECT pg_relation_size(CAST(:name AS regclass)) / current_setting('block_size')::int
""")


@dataclass(frozen=True, slots=True)
class Part:
    """A table, or some blocks of a large one."""

    table: str
    where: str
    blocks: int


def read(engine: Engine, schema_sha256: str = "") -> Fingerprint:
    """Return the fingerprint of a database that was restored just now, and nobody else knows of.

    The digest of the definitions is given (see `schema`); without one they are not compared.
    """
    with engine.connect() as connection:
        fingerprint.write_plain_text(connection)
        sequences = fingerprint.sequences(connection)
    return Fingerprint(tables=tables(engine), sequences=sequences, schema_sha256=schema_sha256)


def tables(engine: Engine, snapshot: str | None = None) -> dict[str, Table]:
    """Return the content of each table, as a snapshot shows it that somebody holds."""
    with _session(engine, snapshot) as connection:
        names = fingerprint.names(connection)
        shares = list(_shares(part for name in names for part in _parts(connection, name)))
    with ThreadPoolExecutor(SESSIONS) as pool:
        work = [pool.submit(_read, engine, snapshot, share) for share in shares]
        try:
            return _sums(names, (found for done in work for found in done.result()))
        except BaseException:  # nobody waits for what has not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _parts(connection: Connection, name: str) -> Iterator[Part]:
    """Yield the parts of a table; the last one has no end, as the table may have grown meanwhile."""
    blocks = connection.scalars(BLOCKS, {"name": name}).one()
    for first in range(0, max(blocks, 1), SHARE):
        end = f" AND t.ctid < '({first + SHARE},0)'" if first + SHARE < blocks else ""
        yield Part(name, f"t.ctid >= '({first},0)'{end}", min(blocks - first, SHARE))


def _shares(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Yield what is read in one session: small tables together, as a session takes a while to begin."""
    share: list[Part] = []
    for part in parts:
        share.append(part)
        if sum(one.blocks for one in share) >= SHARE:
            yield share
            share = []
    yield share


def _read(engine: Engine, snapshot: str | None, share: Sequence[Part]) -> list[tuple[str, Table]]:
    with _session(engine, snapshot) as connection:
        return [(one.table, fingerprint.table(connection, one.table, one.where)) for one in share]


@contextmanager
def _session(engine: Engine, snapshot: str | None) -> Iterator[Connection]:
    """Have a session that writes plain text, and sees what the snapshot shows."""
    with engine.connect() as connection:
        if snapshot is not None:
            connection.execution_options(isolation_level="REPEATABLE READ")
            connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        fingerprint.write_plain_text(connection)
        yield connection


def _sums(names: Sequence[str], found: Iterable[tuple[str, Table]]) -> dict[str, Table]:
    """Return each table's parts as one."""
    rows: dict[str, int] = defaultdict(int)
    hashes: dict[str, int] = defaultdict(int)
    for name, part in found:
        rows[name] += part.rows
        hashes[name] += int(part.hashes)
    return {name: Table(rows=rows[name], hashes=str(hashes[name])) for name in names}
