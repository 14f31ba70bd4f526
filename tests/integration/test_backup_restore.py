"""Restoring: what was deleted comes back, what came later is gone, and a failure changes nothing."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from sqlalchemy import Engine, delete, insert, select, text
from sqlalchemy.exc import DBAPIError

from common.schema import outbox
from tests.integration.backups import WHEN_TOLD, Backups, backups_of, slow_table
from tests.integration.postgres import Database
from tests.integration.test_backup_verify import forget_a_row
from tests.waiting import eventually


@pytest.fixture
def backups(database: Database) -> Iterator[Backups]:
    with backups_of(database) as running:
        yield running


def write(engine: Engine, name: str) -> None:
    """Write one row: a mail by that name."""
    mail = {"kind": "test", "sender": "a@example.org", "recipient": "b@example.org"}
    values = {**mail, "subject": "Rows", "message_id": name, "head": b"Rows"}
    with engine.begin() as connection:
        connection.execute(insert(outbox).values(values))


def written(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(select(outbox.c.message_id)))


def databases(backups: Backups) -> list[str]:
    query = "SELECT datname FROM pg_database WHERE datname LIKE 'keelson%' ORDER BY 1"
    return backups.superuser(query).split()


def test_deleted_rows_come_back_and_later_rows_are_gone(
    database: Database, backups: Backups
) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.take()
    with database.engine("mailer").begin() as connection:
        connection.execute(delete(outbox))
    write(web, "later")

    answer = backups.restore("--yes")

    assert answer.code == 0, answer
    assert "What was written since then will be gone from it" in answer.out
    assert written(web) == {"kept"}


def test_a_named_backup_is_restored(database: Database, backups: Backups) -> None:
    web = database.engine("web")
    write(web, "first")
    first = backups.take()
    write(web, "second")
    backups.take()

    answer = backups.restore("--at", first, "--yes")

    assert answer.code == 0, answer
    assert written(web) == {"first"}


def test_every_role_works_as_before_and_has_no_more_rights(
    database: Database, backups: Backups
) -> None:
    acl = "SELECT datdba::regrole, datacl FROM pg_database WHERE datname = 'keelson'"
    tables = (
        "SELECT relname, relowner::regrole, relacl FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    before = backups.superuser(acl), in_keelson(backups, tables)
    backups.take()

    assert backups.restore("--yes").code == 0

    assert (backups.superuser(acl), in_keelson(backups, tables)) == before
    write(database.engine("web"), "after")
    with database.engine("mailer").begin() as connection:
        connection.execute(text("UPDATE outbox SET state = 'sent'"))
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        database.engine("mailer").connect() as connection,
    ):
        connection.execute(text("SELECT * FROM accounts"))
    backups.take()


def in_keelson(backups: Backups, query: str) -> str:
    command = ["psql", "--host=/run/postgresql", "--username=postgres", "-Atc", query, "keelson"]
    return str(backups.database.server.exec_run(command).output.decode())


def test_who_is_connected_is_shown_out_and_comes_back_to_the_restored_rows(
    database: Database, backups: Backups
) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.take()
    write(web, "later")

    with knocking(web), web.connect() as idle:
        idle.execute(text("SELECT 1"))
        answer = backups.restore("--yes")
        with pytest.raises(DBAPIError):
            idle.execute(text("SELECT 1"))
        idle.invalidate()

    assert answer.code == 0, answer
    assert "kept" in written(web)
    assert "later" not in written(web)


@contextmanager
def knocking(engine: Engine) -> Iterator[None]:
    """Connect anew as fast as it goes, and write, as an application under load would."""
    done = Event()

    def knock(number: int) -> None:
        while not done.is_set():
            try:
                write(engine, f"x{number}")
            except DBAPIError:
                engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        knocks = [pool.submit(knock, number) for number in range(4)]
        try:
            yield
        finally:
            done.set()
        for each in knocks:
            each.result()


def test_the_database_as_it_was_is_kept_until_the_next_restore(
    database: Database, backups: Backups
) -> None:
    backups.take()

    assert backups.restore("--yes").code == 0
    first = databases(backups)
    assert backups.restore("--yes").code == 0
    second = databases(backups)

    assert [len(first), len(second)] == [2, 2]
    assert first[0] == second[0] == "keelson"
    assert first[1].startswith("keelson_before_")
    assert second[1] > first[1]
    write(database.engine("web"), "after")


def test_a_restore_that_is_not_equal_changes_nothing(database: Database, backups: Backups) -> None:
    web = database.engine("web")
    changed = backups.take()
    forget_a_row(backups, changed)
    write(web, "later")
    before = databases(backups)

    answer = backups.restore("--yes")

    assert answer.code == 1
    assert "the restored database is not what was dumped" in answer.err
    assert databases(backups) == before
    assert written(web) == {"later"}


def test_a_restore_that_is_killed_changes_nothing_and_the_next_one_cleans_up(
    database: Database, backups: Backups
) -> None:
    web = database.engine("web")
    write(web, "kept")

    with slow_table(database.engine("owner"), WHEN_TOLD):
        backups.take()
        write(web, "later")
        with backups.restore_held_up() as container:
            container.kill("SIGKILL")
            left = [name for name in databases(backups) if "_restore_" in name]
        serving = written(web)
        answer = backups.restore("--yes")

    assert len(left) == 1
    assert serving == {"kept", "later"}
    assert answer.code == 0, answer
    assert not [name for name in databases(backups) if "_restore_" in name]
    assert written(web) == {"kept"}


def test_a_restore_that_is_told_to_end_drops_what_it_made(
    database: Database, backups: Backups
) -> None:
    web = database.engine("web")

    with slow_table(database.engine("owner"), WHEN_TOLD):
        backups.take()
        write(web, "later")
        with backups.restore_held_up() as container:
            container.stop(timeout=30)
            code = container.wait()["StatusCode"]

    assert code == 1
    assert not [name for name in databases(backups) if "_restore_" in name]
    assert written(web) == {"later"}


def test_with_nobody_to_ask_and_no_yes_it_refuses(database: Database, backups: Backups) -> None:
    web = database.engine("web")
    backups.take()
    write(web, "later")

    answer = backups.restore()

    assert answer.code == os.EX_USAGE
    assert "say --yes beforehand" in answer.err
    assert written(web) == {"later"}


def test_a_database_that_was_dropped_is_brought_back(database: Database, backups: Backups) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.take()
    for part in ("owner", "web", "mailer", "backup"):
        database.engine(part).dispose()
    backups.superuser("DROP DATABASE keelson WITH (FORCE)")

    answer = backups.restore("--yes")

    assert answer.code == 0, answer
    assert written(web) == {"kept"}


def test_the_worker_shows_the_backups_again_after_a_restore(backups: Backups) -> None:
    backups.take()
    backups.take()
    assert backups.restore("--yes").code == 0

    restored = [state for state, _ in backups.rows()]
    backups.container.remove(force=True)
    backups.start("python", "-m", "backup")

    assert restored == ["proven", "running"]
    eventually(lambda: backups.rows() == [("proven", None)] * 2, 30, "the folder is mirrored")
