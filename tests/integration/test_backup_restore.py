"""Restoring: what was deleted comes back, what came later is gone, and a failure changes nothing."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from sqlalchemy import Engine, delete, text
from sqlalchemy.exc import DBAPIError

from common.schema import outbox
from tests.integration.backups import FOLDER, Backups
from tests.integration.postgres import Database
from tests.integration.restores import Restores, write, written
from tests.waiting import eventually


def test_deleted_rows_come_back_and_later_rows_are_gone(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.take()
    with database.engine("mailer").begin() as connection:
        connection.execute(delete(outbox))
    write(web, "later")

    answer = restores.restore()

    assert answer.code == 0, answer
    assert written(web) == {"kept"}


def test_definitions_that_a_later_version_writes_otherwise_are_restored(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.edit(backups.take(), "m['fingerprint']['schema_sha256'] = 'ab'")

    answer = restores.restore()

    assert answer.code == 0, answer
    assert written(web) == {"kept"}
    assert not [name for name in restores.databases() if "reread" in name]


def test_it_says_what_will_be_lost_who_is_connected_and_how_it_goes(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.take()
    write(web, "later")
    write(web, "last")

    answer = restores.restore()

    assert "What was written since then, until now (" in answer.err
    assert "public.outbox: 3 rows now, 1 rows then" in answer.err
    assert "(keelson_web) 1x" in answer.err
    for step in ("fetch", "load", "compare", "analyze", "swap"):
        assert f"{step}: done in" in answer.err
    assert "restored and found equal: keelson as of" in answer.out


def test_a_named_backup_is_restored(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    write(web, "first")
    first = backups.take()
    write(web, "second")
    backups.take()

    answer = restores.restore("--at", first)

    assert answer.code == 0, answer
    assert written(web) == {"first"}


def test_programs_get_one_document(backups: Backups, restores: Restores) -> None:
    backup = backups.take()

    told = json.loads(restores.restore("--json").out)

    assert (told["restored"], told["target"], told["database"]) == (backup, "local", "keelson")
    assert told["kept"].startswith("keelson_before_")
    assert set(told["seconds"]) == {"fetch", "load", "compare", "analyze", "swap"}


def test_every_role_works_as_before_and_has_no_more_rights(
    database: Database, backups: Backups, restores: Restores
) -> None:
    acl = "SELECT datdba::regrole, datacl FROM pg_database WHERE datname = 'keelson'"
    tables = (
        "SELECT relname, relowner::regrole, relacl FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    before = backups.superuser(acl), restores.in_keelson(tables)
    backups.take()

    assert restores.restore().code == 0

    assert (backups.superuser(acl), restores.in_keelson(tables)) == before
    write(database.engine("web"), "after")
    with database.engine("mailer").begin() as connection:
        connection.execute(text("UPDATE outbox SET state = 'sent'"))
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        database.engine("mailer").connect() as connection,
    ):
        connection.execute(text("SELECT * FROM accounts"))
    backups.take()


def test_who_is_connected_is_shown_out_and_comes_back_to_the_restored_rows(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.take()
    write(web, "later")

    with knocking(web), web.connect() as idle:
        idle.execute(text("SELECT 1"))
        answer = restores.restore()
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


def test_a_database_that_was_dropped_is_brought_back(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.take()
    for part in ("owner", "web", "mailer", "backup"):
        database.engine(part).dispose()
    backups.superuser("DROP DATABASE keelson WITH (FORCE)")

    answer = restores.verb("restore", "--yes")

    assert answer.code == 0, answer
    assert written(web) == {"kept"}


@pytest.mark.parametrize(
    ("agreed", "missing"),
    [
        pytest.param([], "--yes --end-connections", id="nothing was agreed to"),
        pytest.param(["--yes"], "--end-connections", id="who is connected may stay"),
        pytest.param(["--end-connections"], "--yes", id="the loss was not agreed to"),
    ],
)
def test_with_nobody_to_ask_it_refuses_what_was_not_agreed_to(
    agreed: list[str], missing: str, database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    backups.take()
    write(web, "later")

    with web.connect():
        answer = restores.verb("restore", *agreed)

    assert answer.code == os.EX_USAGE
    assert f"nobody is here to ask; say {missing} beforehand" in answer.err
    assert written(web) == {"later"}
    assert restores.databases() == ["keelson"]


@pytest.mark.parametrize(
    ("at", "why"),
    [
        pytest.param("20010101-000000", "there is no proven backup 20010101-000000", id="unknown"),
        pytest.param("2026-11-22 14:03", "has no zone", id="an instant without a zone"),
        pytest.param("yesterday", "not a moment: yesterday", id="no moment"),
    ],
)
def test_a_moment_that_can_not_be_had_changes_nothing(
    at: str, why: str, backups: Backups, restores: Restores
) -> None:
    backups.take()

    answer = restores.restore("--at", at, "--json")

    assert answer.code in {1, os.EX_USAGE}
    assert why in json.loads(answer.out)["error"]
    assert restores.databases() == ["keelson"]


def test_it_never_runs_into_a_backup(backups: Backups, restores: Restores) -> None:
    backups.take()
    hold = (
        "import fcntl, os, pathlib, time; at_work = os.open(sys.argv[1], os.O_RDONLY);"
        " fcntl.flock(at_work, fcntl.LOCK_EX); pathlib.Path('/tmp/held').touch(); time.sleep(600)"
    )
    backups.begin("python", "-c", f"import sys; {hold}", FOLDER)  # as a run does
    eventually(lambda: backups.run("ls", "/tmp/held").code == 0, 30, "the folder is held")  # noqa: S108 the container's own

    answer = restores.restore()

    assert answer.code == os.EX_TEMPFAIL
    assert "is at work in" in answer.err
    assert restores.databases() == ["keelson"]


def test_the_worker_shows_the_backups_again_after_a_restore(
    backups: Backups, restores: Restores
) -> None:
    backups.take()
    backups.take()
    assert restores.restore().code == 0

    backups.container.remove(force=True)
    backups.start("python", "-m", "backup")

    eventually(lambda: backups.rows() == [("proven", None)] * 2, 30, "the folder is mirrored")
