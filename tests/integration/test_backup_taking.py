"""A backup counts once it was restored and found equal, and nothing else ever does."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from sqlalchemy import Engine, text

from tests.integration.backups import CATALOGUE, FOLDER, IN_SCRATCH, Backups, slow_table
from tests.integration.postgres import Database
from tests.waiting import eventually

ADD = text("""
    INSERT INTO outbox (kind, sender, recipient, subject, message_id, head)
         SELECT 'test', 'a@example.org', 'b@example.org', 'Rows', gen_random_uuid(), 'Rows'
           FROM generate_series(1, :n)
""")
CHANGE = text("UPDATE outbox SET attempts = attempts + 1 WHERE id % 7 = :n % 7")
REMOVE = text("DELETE FROM outbox WHERE id % 1009 = :n % 1009")


@contextmanager
def writing(engine: Engine) -> Iterator[None]:
    """Insert, change and delete rows as fast as it goes, until the end of the block."""
    done = Event()

    def write() -> int:
        rounds = 0
        while not done.is_set():
            rounds += 1
            with engine.begin() as connection:
                connection.execute(ADD, {"n": 20})
                connection.execute(CHANGE, {"n": rounds})
                connection.execute(REMOVE, {"n": rounds})
        return rounds

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write)
        try:
            yield
        finally:
            done.set()
        assert written.result() > 1


def test_backup_under_concurrent_writes_is_proven(database: Database, backups: Backups) -> None:
    owner = database.engine("owner")
    with owner.begin() as connection:
        connection.execute(ADD, {"n": 5000})

    with writing(owner):
        answer = backups.verb("take")

    assert answer.code == 0, answer
    (listed,) = backups.listed()
    assert listed["state"] == "proven"
    assert listed["rows"] > 4000
    assert list(listed["copies"]) == ["local"]
    assert {"definitions", "dump", "fetch", "restore", "compare"} <= listed["steps"].keys()
    assert backups.known() == [f"{listed['id']}.json"]
    assert backups.rows() == [("proven", None)]


def test_values_and_names_of_every_kind_compare_equal(database: Database, backups: Backups) -> None:
    odd = """
        CREATE TABLE "50% ""odd"" t:able" (t text, "a:b" bytea, money money, at timestamptz, f float8, j jsonb);
        INSERT INTO "50% ""odd"" t:able"
             VALUES ('ä''%s', '\\x00ff', 12.5, '2026-03-29 02:30+01', 0.1, '{"a": [1, null]}');
        CREATE SEQUENCE "Down" INCREMENT -3; SELECT nextval('"Down"');
        CREATE SEQUENCE unused;
    """
    drop = 'DROP TABLE "50% ""odd"" t:able"; DROP SEQUENCE "Down", unused'
    owner = database.engine("owner")
    with owner.begin() as connection:
        connection.exec_driver_sql(odd, execution_options={"no_parameters": True})

    try:
        answer = backups.verb("take")
    finally:
        with owner.begin() as connection:
            connection.exec_driver_sql(drop, execution_options={"no_parameters": True})

    assert answer.code == 0, answer
    assert backups.verb("verify").code == 0


def test_pg_dump_speaks_tls_and_shows_no_password(backups: Backups) -> None:
    query = (
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
        " WHERE application_name = 'pg_dump'"
    )

    with backups.pg_dump_held_up():
        encrypted = backups.superuser(query)
        processes = backups.processes()

    assert encrypted == "t\n"
    assert "pg_dump" in processes
    assert "password=" not in processes.lower()


def test_what_cannot_be_read_fails_the_backup_and_says_so(
    database: Database, backups: Backups
) -> None:
    kept = backups.take()

    with a_large_object(database):
        answer = backups.verb("take")

    assert answer.code == 1
    assert "permission denied for large object" in answer.err
    assert [backup["id"] for backup in backups.listed()] == [kept]
    assert_only(backups, kept)
    (_, (state, reason)) = backups.rows()
    assert state == "failed"
    assert reason is not None
    assert "permission denied for large object" in reason


def test_two_runs_at_once_take_turns(backups: Backups) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: backups.verb("take"), range(2)))

    assert [answer.code for answer in answers] == [0, 0], answers
    second, first = backups.listed()
    assert first["finished_at"] <= second["started_at"]


def test_a_run_waits_for_the_one_of_another_replica(database: Database, backups: Backups) -> None:
    lock = 0x6B656570
    with database.engine("web").connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": lock})
        backups.begin("python", "-m", "backup", "take")
        eventually(lambda: backups.waits_for_a_lock("backup"), 30, "it stands in line")
        waiting = backups.known()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": lock})

    eventually(backups.listed, 30, "its turn has come")
    assert waiting == []


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_a_run_that_is_told_to_end_leaves_nothing(backups: Backups, name: str) -> None:
    with backups.pg_dump_held_up():
        backups.signal_take(name)
        eventually(lambda: "pg_dump" not in backups.processes(), 10, "all is ended")

    eventually(lambda: backups.rows()[0][0] == "failed", 20, "the row says so")
    assert "interrupted" in str(backups.rows()[0][1])
    eventually(lambda: " take" not in backups.processes(), 10, "the run is gone")
    assert (backups.known(), backups.snapshots()) == ([], [])
    assert all(left.startswith(".begun/") for left in backups.left_over())  # a note for the next
    assert_only(backups, backups.take())
    assert backups.left_over() == []


def test_a_run_that_waits_for_a_table_is_interrupted_too(
    database: Database, backups: Backups
) -> None:
    with database.engine("owner").begin() as connection:
        connection.execute(text("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE"))
        backups.begin("python", "-m", "backup", "take")
        eventually(lambda: backups.waits_for_a_lock("backup"), 30, "its own session waits")
        backups.signal_take("TERM")
        eventually(lambda: backups.rows()[0][0] == "failed", 10, "it did not sit the signal out")

    eventually(lambda: "take" not in backups.processes(), 10, "the process is gone")


def test_nothing_counts_after_kill_9_and_the_next_run_cleans_up(backups: Backups) -> None:
    with backups.pg_dump_held_up():
        backups.signal_take("KILL")
        eventually(lambda: "pg_dump" not in backups.processes(), 10, "pg_dump goes with its parent")
        eventually(lambda: "restic" not in backups.processes(), 10, "and so does restic")
        assert backups.listed() == []
        assert backups.left_over() != []

    assert_only(backups, backups.take())
    assert [state for state, _ in backups.rows()] == ["failed", "proven"]


def test_kill_9_while_it_is_restored_leaves_no_server_behind(
    database: Database, backups: Backups
) -> None:
    with slow_table(database.engine("owner"), IN_SCRATCH):
        backups.begin("python", "-m", "backup", "take")
        eventually(lambda: "pg_restore" in backups.processes(), 30, "it is being restored")
        backups.signal_take("KILL")
        eventually(lambda: "postgres" not in backups.processes(), 15, "the server goes too")
        ((state),) = [backup["state"] for backup in backups.listed()]
        assert state == "stored"
        assert "no proven backup" in backups.verb("verify").err

    backups.take()
    assert [backup["state"] for backup in backups.listed()] == ["proven"]


def test_without_the_database_it_fails_and_keeps_what_it_has(
    database: Database, backups: Backups
) -> None:
    kept = backups.take()
    database.stop()
    try:
        answer = backups.verb("take")
        verified = backups.verb("verify")
    finally:
        database.start()

    assert answer.code == 1
    assert "still there" in answer.err
    assert verified.code == 0, verified
    assert backups.listed()[0]["id"] == kept


def test_a_folder_that_cannot_be_written_is_a_wrong_setting(backups: Backups) -> None:
    answer = backups.run("env", "BACKUP_FOLDER=/proc", "python", "-m", "backup", "take")

    assert answer.code == os.EX_CONFIG
    assert answer.err.startswith("BACKUP_FOLDER: /proc is not a folder that user 10003 may write")
    assert FOLDER not in answer.err


def test_backups_past_their_time_go_once_a_new_one_is_proven(backups: Backups) -> None:
    old = backups.take()
    age(backups, old)

    newer = [backups.take(), backups.take()]
    dry = backups.verb("prune", "--dry-run")
    newest = backups.take()

    assert "would go: no backup" in dry.out  # it is one of the newest three
    assert_only(backups, *newer, newest)
    assert [state for state, _ in backups.rows()] == ["proven"] * 3


def test_a_failed_run_prunes_nothing(database: Database, backups: Backups) -> None:
    old, *newer = [backups.take() for _ in range(4)]
    age(backups, old)

    with a_large_object(database):
        assert backups.verb("take").code == 1

    assert [backup["id"] for backup in backups.listed()] == [*reversed(newer), old]
    assert f"would go: {old}" in backups.verb("prune", "--dry-run").out
    assert f"gone: {old}" in backups.verb("prune").out
    assert_only(backups, *newer)


def age(backups: Backups, backup_id: str) -> None:
    """Have a backup be from 2020."""
    change = (
        "import json, pathlib, sys; p = pathlib.Path(sys.argv[1]); m = json.loads(p.read_text());"
        " m['finished_at'] = '2020-01-01T00:00:00Z'; p.write_text(json.dumps(m))"
    )
    assert backups.run("python", "-c", change, f"{CATALOGUE}/{backup_id}.json").code == 0


@contextmanager
def a_large_object(database: Database) -> Iterator[None]:
    """Have one: no grant covers it, so no dump can have it."""
    with database.engine("owner").begin() as connection:
        number = connection.scalars(text("SELECT lo_from_bytea(0, 'no grant covers this')")).one()
    try:
        yield
    finally:
        with database.engine("owner").begin() as connection:
            connection.execute(text("SELECT lo_unlink(:number)"), {"number": number})


def assert_only(backups: Backups, *kept: str) -> None:
    """Check that these are known and stored, and that nothing else is left anywhere."""
    assert backups.known() == [f"{backup_id}.json" for backup_id in kept]
    runs = [tag for s in backups.snapshots() for tag in s["tags"] if tag.startswith("run:")]
    assert runs == [f"run:{backup_id}" for backup_id in kept]
    assert backups.left_over() == []
    assert backups.run("ls", f"{FOLDER}/repository/locks").out == ""
