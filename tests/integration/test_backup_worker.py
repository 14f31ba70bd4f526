"""The worker, unattended: on schedule, caught up, ended at once, and shown to the status page."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import text

from tests.integration.backups import FOLDER, IN_SCRATCH, Backups, slow_table
from tests.integration.postgres import Database
from tests.waiting import eventually


def restart_as_worker(backups: Backups, **environment: str) -> None:
    backups.container.remove(force=True)
    backups.start("python", "-m", "backup", **{"BACKUP_POINT_IN_TIME": "false", **environment})


def trouble(database: Database) -> list[str | None]:
    with database.engine("web").connect() as connection:
        query = text("SELECT trouble FROM heartbeats WHERE part = 'backup'")
        return list(connection.scalars(query))


def beats_at(database: Database) -> datetime:
    with database.engine("web").connect() as connection:
        found: datetime = connection.scalars(
            text("SELECT beat_at FROM heartbeats WHERE part = 'backup'")
        ).one()
        return found


def test_a_new_stack_has_its_first_backup_at_once(database: Database, backups: Backups) -> None:
    restart_as_worker(backups)

    eventually(lambda: backups.rows() == [("proven", None)], 60, "the first backup")
    eventually(lambda: trouble(database) == [None], 20, "the next tick says so")
    assert backups.run("python", "-m", "common.heartbeat", "60").code == 0
    told = '"event": "backup proven"'  # once its history is kept too, which comes after the row
    eventually(lambda: told in backups.container.logs().decode(), 20, "the log says so")


def test_a_restart_takes_no_second_backup_before_one_is_due(backups: Backups) -> None:
    backups.take()

    restart_as_worker(backups)
    eventually(lambda: backups.verb("list").code == 0 and beaten(backups), 30, "it is at work")
    eventually(lambda: "take" not in backups.processes(), 30, "it has looked")

    assert len(backups.listed()) == 1


def beaten(backups: Backups) -> bool:
    return backups.run("python", "-m", "common.heartbeat", "60").code == 0


def test_the_schedule_takes_backups_unattended(backups: Backups) -> None:
    restart_as_worker(backups, BACKUP_SCHEDULE="* * * * *")

    def proven() -> int:
        return [backup["state"] for backup in backups.listed()].count("proven")

    eventually(lambda: proven() >= 2, 120, "one at once, and one in the next minute")
    assert "failed" not in {state for state, _ in backups.rows()}


def test_it_ends_at_once_and_cleanly_with_a_run_under_way(backups: Backups) -> None:
    with backups.no_pg_dump_gets_on():
        restart_as_worker(backups)
        eventually(lambda: backups.waits_for_a_lock("pg_dump"), 30, "a run is under way")
        backups.container.stop(timeout=30)
        code = backups.container.wait()["StatusCode"]

    ((state, reason),) = backups.rows()
    assert code == 0
    assert state == "failed"
    assert "interrupted" in str(reason)


def test_a_failed_run_is_said_to_the_status_page_and_tried_again(
    database: Database, backups: Backups
) -> None:
    with database.engine("owner").begin() as connection:
        number = connection.scalars(text("SELECT lo_from_bytea(0, 'no grant covers this')")).one()

    try:
        restart_as_worker(backups)
        eventually(lambda: trouble(database) not in ([], [None]), 60, "the trouble is shown")
    finally:
        with database.engine("owner").begin() as connection:
            connection.execute(text("SELECT lo_unlink(:number)"), {"number": number})

    assert "permission denied for large object" in str(trouble(database))
    said = '"event": "a run came to nothing; it is tried again"'
    eventually(lambda: said in backups.container.logs().decode(), 30, "the log says so")


def test_a_proof_is_no_trouble_while_it_is_under_way_and_is_one_once_it_was_killed(
    database: Database, backups: Backups
) -> None:
    backups.take()
    restart_as_worker(backups)
    eventually(lambda: trouble(database) == [None], 30, "it is at work")

    with slow_table(database.engine("owner"), IN_SCRATCH):
        backups.begin("python", "-m", "backup", "take")
        eventually(lambda: backups.rows()[-1] == ("stored", None), 60, "it is stored")
        stored_by = beats_at(database)
        eventually(lambda: beats_at(database) > stored_by, 30, "the next tick")
        meanwhile = trouble(database)
        backups.signal_take("KILL")
        eventually(lambda: trouble(database) != [None], 30, "it is seen")

    assert meanwhile == [None]
    assert "is stored, but not proven: it was interrupted" in str(trouble(database))


def test_it_outlives_the_database_being_away(database: Database, backups: Backups) -> None:
    backups.take()
    restart_as_worker(backups)
    eventually(lambda: trouble(database) == [None], 30, "it is at work")

    database.restart()
    with database.engine("owner").begin() as connection:
        connection.execute(text("DELETE FROM heartbeats"))

    eventually(lambda: trouble(database) == [None], 60, "it is back at work")
    backups.container.reload()
    assert backups.container.attrs["RestartCount"] == 0
    assert backups.container.status == "running"


def test_with_point_in_time_a_base_follows_the_first_backup(
    database: Database, backups: Backups
) -> None:
    restart_as_worker(backups, BACKUP_POINT_IN_TIME="true")

    def points() -> list[str]:
        answer = backups.verb("points", "--json")
        return [seen["target"] for seen in json.loads(answer.out)["targets"]]

    def kinds() -> set[tuple[str, str]]:
        with database.engine("web").connect() as connection:
            return {(k, s) for k, s in connection.execute(text("SELECT kind, state FROM backups"))}

    eventually(lambda: points() == ["local"], 200, "an instant can be restored")
    both = {("logical", "proven"), ("base", "stored")}
    eventually(lambda: kinds() == both, 30, "the next tick tells the database")


def test_a_lock_that_a_killed_run_left_is_removed_at_the_start(backups: Backups) -> None:
    backups.take()
    with backups.pg_dump_held_up():
        backups.kill("restic")
        eventually(lambda: " take" not in backups.processes(), 30, "the run ends by itself")
    left = backups.run("ls", f"{FOLDER}/repository/locks").out

    restart_as_worker(backups)

    assert left != ""
    locks = f"{FOLDER}/repository/locks"
    eventually(lambda: backups.run("ls", locks).out == "", 60, "the lock is gone")


def test_left_locks_wait_for_whoever_looks_at_the_repository(backups: Backups) -> None:
    backups.take()
    lock = f"{FOLDER}/.locks/target-local"
    holders = ("sh", "-c", "ls -l /proc/[0-9]*/fd 2>/dev/null")
    backups.begin("flock", "--shared", "--close", lock, "sleep", "infinity")
    eventually(lambda: backups.run("flock", "--nonblock", lock, "true").code == 1, 30, "it is held")

    with ThreadPoolExecutor(1) as pool:
        unlocking = pool.submit(backups.verb, "unlock", "--scheduled")
        eventually(
            lambda: backups.run(*holders).out.count("target-local") == 2, 30, "both are there"
        )
        backups.kill("flock")

        assert unlocking.result(60).code == 0
