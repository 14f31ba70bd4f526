"""The recovery kit: its own commands, followed on a machine that knows nothing of us, bring all back."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import pytest

from tests.conftest import ROOT
from tests.images import image
from tests.integration.backups import FOLDER, Answer, Backups
from tests.integration.postgres import Database
from tests.integration.restores import Restores, write
from tests.integration.storage import storage, targets

SUMS = "SELECT count(*), sum(hashtextextended(o::text, 0)) FROM outbox AS o"


class Machine:
    """A clean Debian, at which somebody types what the kit says."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def type(self, *lines: str) -> Answer:
        """Run lines in one shell; the first error ends it."""
        script = "set -Eeuo pipefail\n" + "\n".join(lines)
        result = self._container.exec_run(["bash", "-c", script], demux=True)
        out, err = (part.decode() if part else "" for part in result.output)
        return Answer(result.exit_code, out, err)


@contextmanager
def clean_machine(backups: Backups, *, with_volume: bool) -> Iterator[Machine]:
    """Have one, in reach of the storage; the worker's volume only as a disk that somebody has saved."""
    volume = {backups.volume: {"bind": FOLDER, "mode": "ro"}} if with_volume else {}
    container = docker.from_env().containers.run(
        image("test-clean"),
        detach=True,
        init=True,
        network=backups.database.network,
        volumes=volume,
    )
    try:
        yield Machine(container)
    finally:
        container.remove(force=True)


def blocks(kit: str, *headings: str) -> list[str]:
    """Return the commands below each of these headings."""
    found = []
    for heading in headings:
        section = kit.split(f"# {heading}", 1)[1]
        block = re.search(r"```bash\n(.*?)```", section, flags=re.DOTALL)
        assert block, heading
        found.append(block.group(1))
    return found


def made(backups: Backups) -> dict[str, Any]:
    answer = backups.verb("recovery-kit", "--json")
    assert answer.code == 0, answer
    told: dict[str, Any] = json.loads(answer.out)
    return told


def test_the_recipe_brings_the_latest_backup_back_with_nothing_but_stock_programs(
    database: Database, backups: Backups
) -> None:
    write(database.engine("web"), "precious")
    backups.take()
    expected = Restores(backups).in_keelson(SUMS)
    kit = made(backups)["kit"]

    with clean_machine(backups, with_volume=True) as machine:
        recipe = blocks(kit, "2. The key", "local", "4. What there is", "5a. The latest")
        answer = machine.type(*recipe, f"psql -d keelson -Atc {shlex.quote(SUMS)}")

    assert answer.code == 0, answer.err[-2000:]
    assert answer.out.endswith(expected)


@pytest.mark.parametrize("kind", ["sftp", "rest", "s3"])
def test_the_recipe_holds_all_that_it_takes_to_get_in_elsewhere(
    kind: Any, database: Database, backups: Backups
) -> None:
    write(database.engine("web"), "precious")
    with storage(database, kind) as server:
        backups.container.remove(force=True)
        backups.start(**targets(server, local=False))
        backups.take()
        expected = Restores(backups).in_keelson(SUMS)
        kit = made(backups)["kit"]

        with clean_machine(backups, with_volume=False) as machine:
            recipe = blocks(kit, "2. The key", kind, "4. What there is", "5a. The latest")
            ask = f"psql -d keelson -Atc {shlex.quote(SUMS)}"
            answer = machine.type(*recipe, ask)

    assert answer.code == 0, answer.err[-2000:]
    assert answer.out.endswith(expected)


def test_a_new_kit_ends_the_former_one_once_it_is_written(backups: Backups) -> None:
    backups.take()
    former, new = made(backups), made(backups)
    opens = [passes(backups, kit) for kit in (former, new)]

    pairs = [f"{name}={key}" for name, key in new["keys"].items()]
    answer = backups.verb("recovery-kit", "--written", *pairs)

    assert opens == [True, True]  # were the new one lost on its way, the former still opens it
    assert answer.code == 0, answer
    assert [passes(backups, kit) for kit in (former, new)] == [False, True]
    backups.take()  # the worker's own key is not touched


def passes(backups: Backups, kit: dict[str, Any]) -> bool:
    """Say whether the key in a kit opens the local repository."""
    key = re.search(r"cat >key <<'END'\n(\w+)\nEND", kit["kit"])
    assert key
    command = f"RESTIC_PASSWORD={key.group(1)} restic -r {FOLDER}/repository --no-cache cat config"
    return backups.run("sh", "-c", command).code == 0


def test_a_target_that_is_away_is_told_and_is_not_in_the_kit(
    database: Database, backups: Backups
) -> None:
    with storage(database, "sftp") as server:
        backups.container.remove(force=True)
        backups.start(**targets(server))
        backups.take()
        server.stop()

        answer = backups.verb("recovery-kit", "--json")

    assert answer.code == 0, answer
    assert set(json.loads(answer.out)["keys"]) == {"local"}
    assert "it is not in the kit" in answer.err


def test_without_a_backup_there_is_no_kit(backups: Backups) -> None:
    answer = backups.verb("recovery-kit")

    assert answer.code == 1
    assert "there is no proven backup" in answer.err


def test_the_machine_of_the_test_has_what_the_recipe_installs(backups: Backups) -> None:
    backups.take()
    dockerfile = (ROOT / "tests/peers/clean/Dockerfile").read_text(encoding="utf-8")

    tools = blocks(made(backups)["kit"], "1. The programs")[0]

    packages = tools.strip().rpartition("install -y ")[2]
    assert f"       {packages} \\\n" in dockerfile
