"""Whatever is killed or missing, nothing bad is called good, the last good one stays, the next run is well."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from tests.integration.backups import CATALOGUE, IN_SCRATCH, Answer, Backups, backups_of, slow_table
from tests.integration.postgres import Database
from tests.integration.storage import storage, targets
from tests.integration.test_backup_taking import age, assert_only
from tests.waiting import eventually

AWAY = "rest:https://nobody.invalid:8000/"


def has_ended(backups: Backups) -> None:
    eventually(lambda: " take" not in backups.processes(), 60, "the run ends by itself")


@pytest.mark.parametrize("program", ["restic", "pg_dump"])
def test_a_program_that_is_killed_while_dumping_fails_the_run(
    backups: Backups, program: str
) -> None:
    good = backups.take()

    with backups.pg_dump_held_up():
        backups.kill(program)
        has_ended(backups)

    assert_known(backups, good)
    assert backups.rows()[-1][0] == "failed"
    newer = [backups.take() for _ in range(3)]
    age(backups, good)
    assert f"gone: {good}" in backups.verb("prune").out  # whatever lock restic has left
    assert_only(backups, *newer)


def test_a_last_dump_that_was_larger_than_the_volume_stops_no_smaller_one(
    backups: Backups,
) -> None:
    backups.edit(backups.take(), "m['bytes'] = 10**15")

    assert backups.verb("take").code == 0


@pytest.mark.parametrize("program", ["postgres", "pg_restore"])
def test_a_program_that_is_killed_while_proving_leaves_it_stored_and_no_more(
    database: Database, backups: Backups, program: str
) -> None:
    good = backups.take()

    with slow_table(database.engine("owner"), IN_SCRATCH):
        backups.begin("python", "-m", "backup", "take")
        eventually(lambda: "pg_restore" in backups.processes(), 60, "it is being restored")
        backups.kill(program)
        has_ended(backups)

    newest, older = backups.listed()
    (state, reason) = backups.rows()[-1]
    assert (newest["state"], older["id"]) == ("stored", good)
    assert (state, reason is None) == ("stored", False)
    assert good in backups.verb("verify").out
    assert_only(backups, good, backups.take())  # one that was never proven goes


def test_a_target_that_is_away_neither_blocks_nor_hides(backups: Backups) -> None:
    answer = two_targets(backups, f"local, {AWAY}", "take", "--json")

    told = json.loads(answer.out)
    assert answer.code == os.EX_UNAVAILABLE
    assert (told["state"], list(told["copies"])) == ("proven", ["local"])
    assert "nobody.invalid" in told["troubles"]["rest"]


def test_a_first_target_that_is_away_hands_over_to_the_second(backups: Backups) -> None:
    answer = two_targets(backups, f"{AWAY} local", "take", "--json")

    told = json.loads(answer.out)
    assert answer.code == os.EX_UNAVAILABLE
    assert (told["state"], list(told["copies"])) == ("proven", ["local"])


def test_with_every_target_away_the_run_fails_and_names_them(backups: Backups) -> None:
    answer = two_targets(backups, AWAY, "take")

    assert answer.code == os.EX_UNAVAILABLE
    assert "target rest: " in answer.err
    assert backups.rows()[-1][0] == "failed"


@contextmanager
def secluded_table(database: Database) -> Iterator[None]:
    """Have a table whose rows are hidden from all, even from its owner, by row security."""
    table = """
        CREATE TABLE secluded (n int); INSERT INTO secluded VALUES (1), (2);
        ALTER TABLE secluded ENABLE ROW LEVEL SECURITY; ALTER TABLE secluded FORCE ROW LEVEL SECURITY;
    """
    with database.engine("owner").begin() as connection:
        connection.exec_driver_sql(table)
    try:
        yield
    finally:
        with database.engine("owner").begin() as connection:
            connection.execute(text("DROP TABLE secluded"))


def test_rows_that_are_hidden_from_others_are_in_the_backup(
    database: Database, backups: Backups
) -> None:
    with secluded_table(database):
        made = json.loads(backups.verb("take", "--json").out)

    assert made["state"] == "proven"
    held = json.loads(backups.run("cat", f"{CATALOGUE}/{made['id']}.json").out)
    assert held["fingerprint"]["tables"]["public.secluded"]["rows"] == 2


def test_without_the_right_to_see_hidden_rows_nothing_is_called_a_backup(
    database: Database, backups: Backups
) -> None:
    backups.superuser("ALTER ROLE keelson_backup NOBYPASSRLS")
    try:
        with secluded_table(database):
            answer = backups.verb("take")
    finally:
        backups.superuser("ALTER ROLE keelson_backup BYPASSRLS")

    assert answer.code == 1
    assert "row-level security" in answer.err
    assert backups.listed() == []


def test_a_first_target_that_is_full_hands_over_to_the_second(database: Database) -> None:
    bulk = """
        CREATE TABLE bulk AS
        SELECT n, (SELECT string_agg(md5(random()::text || part), '')
                     FROM generate_series(1, 1000 + mod(n, 2)) AS part) AS noise
          FROM generate_series(1, 3000) AS n
    """
    with (
        storage(database, "rest", tmpfs="20m") as small,
        backups_of(database, **targets(small) | {"BACKUP_TARGETS": f"{small.entry} local"}) as two,
        database.engine("owner").connect() as owner,
    ):
        owner.exec_driver_sql(bulk)
        owner.commit()
        try:
            answer = two.verb("take", "--json")
        finally:
            owner.exec_driver_sql("DROP TABLE bulk")
            owner.commit()

    told = json.loads(answer.out)
    assert answer.code == os.EX_UNAVAILABLE
    assert (told["state"], list(told["copies"])) == ("proven", ["local"])
    assert "no room" in told["troubles"]["rest"]


def two_targets(backups: Backups, targets: str, *verb: str) -> Answer:
    return backups.run("env", f"BACKUP_TARGETS={targets}", "python", "-m", "backup", *verb)


def assert_known(backups: Backups, *kept: str) -> None:
    assert backups.known() == [f"{backup_id}.json" for backup_id in kept]
