"""A restore that fails, or is killed at whatever moment, leaves the live database as it was."""

import random
from contextlib import suppress
from typing import Any

import pytest
from docker.errors import APIError

from tests.integration.backups import FOLDER, WHEN_TOLD, Backups, slow_table
from tests.integration.postgres import Database
from tests.integration.restores import AGREED, Restores, answer_of, write, written
from tests.waiting import eventually

KILLS = 6
SEED = 5


def forget_a_row(backups: Backups, backup_id: str) -> None:
    """Have the manifest say that a table held nothing, as if the dump had gained a row."""
    change = (
        "import json, pathlib, sys; path = pathlib.Path(sys.argv[1]); kept = json.loads(path.read_text());"
        " kept['fingerprint']['tables']['public.alembic_version'] = {'rows': 0, 'hashes': '0'};"
        " path.write_text(json.dumps(kept))"
    )
    path = f"{FOLDER}/catalogue/{backup_id}.json"
    assert backups.run("python", "-c", change, path).code == 0


def test_what_is_not_equal_changes_nothing(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    changed = backups.take()
    forget_a_row(backups, changed)
    write(web, "later")

    answer = restores.restore()

    assert answer.code == 65
    assert "the restored database is not what was dumped" in answer.err
    assert "keelson is as it was" in answer.err
    assert restores.databases() == ["keelson"]
    assert written(web) == {"later"}


def test_a_damaged_repository_is_refused(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    backups.take()
    write(web, "later")
    largest = "ls -S repository/data/*/* | head -n 1 | tee /dev/stderr | xargs chmod u+w"
    pack = backups.run("sh", "-c", f"cd {FOLDER} && {largest}").err
    for offset in range(1000, 3000, 100):
        backups.overwrite(pack.strip(), offset)

    answer = restores.restore()

    assert answer.code == 65, answer
    assert restores.databases() == ["keelson"]
    assert written(web) == {"later"}
    assert backups.left_over() == []


def test_one_that_is_told_to_end_drops_what_it_made(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")

    with slow_table(database.engine("owner"), WHEN_TOLD):
        backups.take()
        write(web, "later")
        with restores.held_up() as container:
            container.stop(timeout=30)
            answer = answer_of(container)

    assert answer.code == 1
    assert "interrupted" in answer.err
    assert restores.databases() == ["keelson"]
    assert backups.left_over() == []
    assert written(web) == {"later"}


def test_one_that_is_killed_changes_nothing_and_the_next_one_cleans_up(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    write(web, "kept")

    with slow_table(database.engine("owner"), WHEN_TOLD):
        backups.take()
        write(web, "later")
        with restores.held_up() as container:
            container.kill("SIGKILL")
            left = [name for name in restores.databases() if "_restore_" in name]
        serving = written(web)
        answer = restores.restore()

    assert len(left) == 1
    assert serving == {"kept", "later"}
    assert answer.code == 0, answer
    assert not [name for name in restores.databases() if "_restore_" in name]
    assert backups.left_over() == []
    assert written(web) == {"kept"}


def come_to(container: Any, lines: int) -> None:
    """Wait until it has told so many lines, each of which is a moment of the restore, or has ended."""

    def is_there() -> bool:
        container.reload()
        return container.status == "exited" or len(container.logs().splitlines()) >= lines

    eventually(is_there, 60, f"it tells {lines} lines")


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGTERM"])
def test_killed_at_any_moment_the_database_is_the_old_one_or_the_restored_one(
    signal: str, database: Database, backups: Backups, restores: Restores
) -> None:
    web, chance = database.engine("web"), random.Random(SEED)  # noqa: S311 it picks moments
    write(web, "kept")
    backups.take()
    outcomes = []

    for number in range(KILLS):
        write(web, f"later {number}")
        before = written(web)
        with restores.begun("restore", *AGREED) as container:
            come_to(container, chance.randrange(4, 14))
            with suppress(APIError):  # it was done before
                container.kill(signal)
            container.wait()
        found = written(web)
        outcomes.append(found == {"kept"})
        assert found in ({"kept"}, before), f"try {number}"

    assert restores.restore().code == 0
    assert written(web) == {"kept"}
    assert not [name for name in restores.databases() if "_restore_" in name]
    assert not all(outcomes), "none was killed in time"
