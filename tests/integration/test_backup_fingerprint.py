"""A database's content as numbers: the same however it is read."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from backup.content import fingerprint, reading
from backup.postgres import sessions
from tests.integration.postgres import Database

ROWS = """
    CREATE TABLE large AS SELECT n, repeat(md5(n::text), 20) AS filler FROM generate_series(1, 3000) AS n;
    DELETE FROM large WHERE n % 3 = 0;
    CREATE TABLE "none, yet" (id int);
"""


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    owner = database.engine("owner")
    with owner.begin() as connection:
        connection.execute(text(ROWS))
    yield owner
    with owner.begin() as connection:
        connection.execute(text('DROP TABLE large, "none, yet"'))


@pytest.mark.parametrize("blocks", [1, 7, 100_000])
def test_read_in_parts_it_is_what_it_is_as_a_whole(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, blocks: int
) -> None:
    monkeypatch.setattr(reading, "SHARE", blocks)
    with engine.connect() as connection:
        fingerprint.write_plain_text(connection)
        whole = fingerprint.tables(connection, fingerprint.names(connection))
    in_parts = reading.read(engine).tables

    assert in_parts == whole
    assert in_parts["public.large"].rows == 2000
    assert in_parts['public."none, yet"'].rows == 0


def test_what_is_written_after_the_snapshot_is_not_read(engine: Engine) -> None:
    with engine.connect() as connection, sessions.snapshot(connection) as snapshot:
        before = reading.tables(engine, snapshot)
        with engine.begin() as other:
            other.execute(
                text("INSERT INTO large SELECT n, 'new' FROM generate_series(1, 500) AS n")
            )
        after = reading.tables(engine, snapshot)

    assert before == after
    assert reading.tables(engine)["public.large"].rows == 2500


def test_a_table_is_not_rewritten_while_its_content_is_read(engine: Engine) -> None:
    with engine.connect() as connection, sessions.snapshot(connection), engine.begin() as other:
        fingerprint.hold(connection)
        other.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            other.execute(text("ALTER TABLE large ALTER n TYPE bigint"))
