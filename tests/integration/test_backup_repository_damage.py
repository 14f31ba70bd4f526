"""A repository whose files were flipped, cut or lost: it is noticed, and nothing damaged is ever handed out as good."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.postgres import Database
from tests.integration.repositories import Repositories, worker_of

MADE = """
ready(first)
made = folder.path / "made"
made.write_bytes(os.urandom(3_000_000))
saved = first.save_output(["cat", str(made)], "keelson.dump", ["run:1"], {})
(folder.path / "id").write_text(saved.snapshot)
"""
HARM = """
place = Path(first.target.location, where)
files = [p for p in [place, *place.rglob("*")] if p.is_file()]
path = max(files, key=lambda p: p.stat().st_size)
path.chmod(0o600)
content = bytearray(path.read_bytes())
if how == "flip": content[len(content) // 2] ^= 0xFF
if how == "cut": del content[len(content) // 2 :]
path.write_bytes(content)
if how == "lose": path.unlink()
"""
LOOK = """
def told(look):
    try: look()
    except BackupError as error: return type(error).__name__
    return "good"
snapshot = (folder.path / "id").read_text()
def same():
    first.read_file(snapshot, "/keelson.dump", folder.path / "back")
    assert (folder.path / "back").read_bytes() == (folder.path / "made").read_bytes()
answer = {"read": told(same), "check": told(lambda: first.check("1/1")), "ready": told(lambda: ready(first))}
"""


@pytest.fixture(scope="module")
def worker(database: Database) -> Iterator[Any]:
    with worker_of(database) as container:
        yield container


@pytest.fixture(scope="module")
def made(worker: Any) -> Repositories:
    repositories = Repositories(worker, {})
    repositories.told(MADE)
    return repositories


@pytest.mark.parametrize("how", ["flip", "cut", "lose"])
@pytest.mark.parametrize("where", ["data", "index", "snapshots", "keys", "config"])
def test_damage_is_noticed(worker: Any, made: Repositories, where: str, how: str) -> None:
    harmed = Repositories(worker, {})
    harmed.sh(f"cp -a {made.folder}/. {harmed.folder}/")

    found = harmed.told(f"where, how = {where!r}, {how!r}\n{HARM}{LOOK}")

    assert found["read"] != "good"
    lost = {
        "MissingError": "config",
        "TargetError": "keys",
        "VanishedError": "snapshots",
    }  # gone altogether
    assert found["read"] == "RepositoryDamagedError" or lost[found["read"]] == where
    if (where, how) != (
        "snapshots",
        "lose",
    ):  # what nobody knows of, nobody can miss: see the catalogue
        assert found["check"] != "good"
    assert (found["ready"] == "good") == (where in {"data", "index", "snapshots"})


def test_nothing_is_stored_beside_a_damaged_snapshot_and_it_is_said_why(
    worker: Any, made: Repositories
) -> None:
    harmed = Repositories(worker, {})
    harmed.sh(f"cp -a {made.folder}/. {harmed.folder}/")
    harmed.told(f"where, how = 'snapshots', 'flip'\n{HARM}")

    kind, message = harmed.refused("first.save_output(text('more'), 'a', ['run:2'], {})")

    assert kind == "RepositoryDamagedError"
    assert message.startswith("target local: restic backup ended with 1: Error loading snapshot")
    assert "move it away" in message
    assert "github.com" not in message
    assert harmed.told("answer = first.snapshots()") == []
