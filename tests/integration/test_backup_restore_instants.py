"""Restoring to an instant: exactly what was committed by then, as a database, as a table, and by the kit alone."""

import json
import shlex
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from tests.integration.backups import FOLDER
from tests.integration.postgres import Database
from tests.integration.restores import Restores, restores_of
from tests.integration.storage import storage, targets
from tests.integration.streams import Streaming, streaming
from tests.integration.test_backup_kit import blocks, clean_machine, made
from tests.waiting import eventually

COUNT = "SELECT count(*) FROM markers"


@pytest.fixture
def stream(database: Database) -> Iterator[Streaming]:
    with streaming(database) as at_work:
        yield at_work


@pytest.fixture
def restores(stream: Streaming) -> Iterator[Restores]:
    with restores_of(stream.backups) as one_shot:
        yield one_shot


def mark(database: Database, number: int) -> datetime:
    """Commit a marker; return an instant after it, before anything else."""
    with database.engine("web").begin() as connection:
        connection.execute(text("INSERT INTO markers VALUES (:n)"), {"n": number})
    with database.engine("web").begin() as connection:
        at: datetime = connection.scalars(text("SELECT clock_timestamp()")).one()
    return at


def test_the_database_goes_back_to_an_instant_and_undo_leads_back(
    database: Database, stream: Streaming, restores: Restores
) -> None:
    instants = [mark(database, number) for number in range(3)]
    stream.ship()

    answer = restores.restore("--at", instants[1].isoformat(), "--json")
    then = restores.in_keelson(COUNT).strip()
    undone = restores.verb("undo", "--yes", "--end-connections")

    assert answer.code == 0, answer
    told = json.loads(answer.out)
    assert (told["restored"], told["target"], then) == (None, "local", "2")
    assert {"recover", "dump", "load", "compare", "swap"} <= set(told["seconds"])
    assert undone.code == 0, undone
    assert restores.in_keelson(COUNT).strip() == "3"
    assert stream.backups.left_over() == []


def test_the_end_is_the_last_commit_that_was_received(
    database: Database, stream: Streaming, restores: Restores
) -> None:
    for number in range(3):
        mark(database, number)
    stream.ship()
    restores.in_keelson("TRUNCATE markers")
    stream.ship()
    mark(database, 7)
    stream.ship()

    answer = restores.restore("--at", "end")

    assert answer.code == 0, answer
    assert restores.in_keelson("SELECT n FROM markers").strip() == "7"


def test_a_table_comes_back_as_of_an_instant(
    database: Database, stream: Streaming, restores: Restores
) -> None:
    before = mark(database, 1)
    mark(database, 2)
    stream.ship()

    answer = restores.verb("restore-table", "markers", "--at", before.isoformat(), "--json")

    assert answer.code == 0, answer
    told = json.loads(answer.out)
    assert told["rows"] == {"markers": 1}
    assert restores.in_keelson(COUNT).strip() == "2"
    restores.in_keelson(f"DROP SCHEMA {told['schema']} CASCADE")


def test_an_instant_out_of_reach_is_told_with_those_in_reach(
    database: Database, stream: Streaming, restores: Restores
) -> None:
    long_ago = mark(database, 1) - timedelta(days=1)
    stream.ship()

    answer = restores.restore("--at", long_ago.isoformat())

    assert answer.code == 1
    assert "the earliest instant is" in answer.err
    assert restores.databases() == ["keelson"]


def test_the_recipe_of_the_kit_reaches_an_instant_with_nothing_but_stock_programs(
    database: Database, stream: Streaming
) -> None:
    before = mark(database, 1)
    mark(database, 2)
    stream.ship()
    stream.backups.take()  # which stores the catalogue too
    kit = made(stream.backups)["kit"]

    with clean_machine(stream.backups, with_volume=True) as machine:
        recipe = blocks(kit, "2. The key", "local", "4. What there is", "5b. Any instant")
        wanted = f"export INSTANT={shlex.quote(before.isoformat(' '))}"
        answer = machine.type(wanted, *recipe, f"psql -d keelson -Atc '{COUNT}'")

    assert answer.code == 0, (answer.out[-1000:], answer.err[-3000:])
    assert answer.out.strip().endswith("\n1")


def test_a_new_machine_knows_instants_that_came_after_the_catalogue_was_stored(
    database: Database, stream: Streaming, restores: Restores
) -> None:
    stream.backups.take()  # which stores the catalogue
    later = mark(database, 1)
    mark(database, 2)
    stream.ship()
    stream.end()
    stream.backups.run("sh", "-c", f"cd {FOLDER} && rm -r catalogue state wal")

    adopted = restores.verb("adopt")
    answer = restores.restore("--at", later.isoformat())

    assert adopted.code == 0, adopted
    assert answer.code == 0, answer
    assert restores.in_keelson(COUNT).strip() == "1"


def test_an_instant_is_read_from_the_next_target_where_the_first_one_is_damaged(
    database: Database,
) -> None:
    with storage(database, "sftp") as server:
        environment = targets(server)
        with (
            streaming(database, **environment) as stream,
            restores_of(stream.backups, environment) as restores,
        ):
            at = mark(database, 1)
            mark(database, 2)
            stream.ship()
            eventually(lambda: reached(stream, "sftp") > at, 60, "it is at the other target too")
            stream.backups.run("sh", "-c", f"rm -r {FOLDER}/repository/data/*")

            answer = restores.restore("--at", at.isoformat(), "--json")

            assert answer.code == 0, answer
            assert json.loads(answer.out)["target"] == "sftp"
            assert "asking the next target" in answer.err
            assert restores.in_keelson(COUNT).strip() == "1"


def reached(stream: Streaming, target: str) -> datetime:
    found = {seen["target"]: seen["until"] for seen in stream.points()["targets"]}
    return datetime.fromisoformat(found[target])
