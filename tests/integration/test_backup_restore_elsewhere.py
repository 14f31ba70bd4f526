"""Restoring from wherever a good copy is, and on a machine that has lost everything but its targets."""

import json
import os
from collections.abc import Iterator
from typing import Any

import docker
import pytest
from sqlalchemy import delete

from common.schema import outbox
from tests.integration.backups import FOLDER, Backups
from tests.integration.postgres import Database
from tests.integration.restores import AGREED, Restores, restores_of, write, written
from tests.integration.storage import storage, targets


@pytest.fixture(autouse=True)
def nothing_is_put_aside_afterwards(backups: Backups) -> Iterator[None]:
    with restores_of(backups):
        yield


def started(backups: Backups, environment: dict[str, str]) -> Restores:
    """Have the worker's container, and the one-shot, use these targets."""
    backups.container.remove(force=True)
    backups.start(**environment)
    return Restores(backups, environment)


def lose_the_volume(backups: Backups, environment: dict[str, str]) -> None:
    """Have a new machine: the database's server and an empty volume."""
    backups.container.remove(force=True)
    docker.from_env().volumes.get(backups.volume).remove(force=True)
    backups.start(**environment)


@pytest.mark.parametrize("kind", ["sftp", "rest", "rest-append-only", "s3"])
def test_a_new_machine_learns_of_the_backups_and_restores_them(
    kind: Any, database: Database, backups: Backups
) -> None:
    web = database.engine("web")
    write(web, "kept")
    with storage(database, kind) as server:
        environment = targets(server)
        restores = started(backups, environment)
        backup = backups.take()
        with database.engine("mailer").begin() as connection:
            connection.execute(delete(outbox))
        lose_the_volume(backups, environment)

        adopted = restores.verb("adopt", "--json")
        again = restores.verb("adopt")
        restored = restores.verb("restore", "--at", backup, *AGREED, "--json")

    assert (adopted.code, json.loads(adopted.out)["latest"]) == (0, backup), adopted
    assert (again.code, "knows of backups already" in again.err) == (os.EX_USAGE, True)
    assert restored.code == 0, restored
    assert json.loads(restored.out)["target"] == kind.partition("-")[0]
    assert "asking the next target" not in restored.err  # what is not there is not taken for a copy
    assert written(web) == {"kept"}


def test_a_damaged_copy_is_passed_over_for_a_good_one(database: Database, backups: Backups) -> None:
    web = database.engine("web")
    write(web, "kept")
    with storage(database, "sftp") as server:
        restores = started(backups, targets(server))
        backups.take()
        write(web, "later")
        pack = backups.run("sh", "-c", f"cd {FOLDER} && ls -S repository/data/*/* | head -n 1").out
        backups.run("rm", "-f", f"{FOLDER}/{pack.strip()}")

        local = restores.restore("--target", "local", "--json")
        any_target = restores.restore("--json")

    assert local.code == 65, local
    assert any_target.code == 0, any_target
    assert json.loads(any_target.out)["target"] == "sftp"
    assert written(web) == {"kept"}


def test_targets_that_are_all_away_change_nothing(database: Database, backups: Backups) -> None:
    web = database.engine("web")
    with storage(database, "sftp") as server:
        restores = started(backups, targets(server, local=False))
        backups.take()
        write(web, "later")
        server.stop()

        answer = restores.restore()

    assert answer.code == 69, answer
    assert restores.databases() == ["keelson"]
    assert written(web) == {"later"}


def test_an_unknown_target_is_named_with_those_there_are(backups: Backups) -> None:
    backups.take()

    answer = Restores(backups).restore("--target", "nowhere")

    assert answer.code == 1
    assert "there is no target nowhere; there are: local" in answer.err
