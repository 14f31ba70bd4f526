"""Repositories at every kind of target: what is stored comes back, copies, goes, and counts."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.integration.postgres import Database
from tests.integration.repositories import Repositories, worker_of
from tests.integration.storage import Kind, Storage, storage, targets

KINDS: list[Kind] = ["sftp", "rest", "rest-append-only", "s3"]
DELETABLE: list[Kind] = ["sftp", "rest", "s3"]
TAKEN = """
for repository in repositories: ready(repository, like=first)
saved = second.save_output(random(3_000_000), "keelson.dump", ["logical", "run:1"], {})
"""


@pytest.fixture(scope="module")
def worker(database: Database) -> Iterator[Any]:
    with worker_of(database) as container:
        yield container


@pytest.fixture(scope="module")
def servers(database: Database) -> Iterator[dict[str, Storage]]:
    with ExitStack() as stack:
        yield {kind: stack.enter_context(storage(database, kind)) for kind in KINDS}


@pytest.fixture
def local(worker: Any) -> Repositories:
    return Repositories(worker, {})


def beside(worker: Any, server: Storage) -> Repositories:
    """Return the local target and one elsewhere, in a place that no other test uses."""
    repositories = Repositories(worker, targets(server))
    place = repositories.folder.rpartition("/")[2]
    end = "" if server.kind == "s3" else place
    told = repositories.environment["BACKUP_TARGETS"].rstrip("/")
    repositories.environment["BACKUP_TARGETS"] = f"{told}-{place}" if not end else f"{told}/{end}"
    return repositories


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_program_writes_comes_back_byte_by_byte(
    worker: Any, servers: dict[str, Storage], kind: Kind
) -> None:
    repositories = beside(worker, servers[kind])
    lines = """
for repository in repositories: ready(repository, like=first)
made = folder.path / "made"
made.write_bytes(os.urandom(40_000_000))
saved = second.save_output(["cat", str(made)], "keelson.dump", ["logical", "run:1"], {})
second.read_file(saved.snapshot, "/keelson.dump", folder.path / "back")
found = second.snapshots("logical", "run:1")
second.check("1/1")
answer = {
    "equal": made.read_bytes() == (folder.path / "back").read_bytes(),
    "bytes": saved.bytes,
    "stored": saved.bytes_stored >= 40_000_000,
    "size": second.size() >= 40_000_000,
    "found": [s.id for s in found] == [saved.snapshot],
    "others": second.snapshots("run:2"),
}
"""

    assert repositories.told(lines) == {
        "equal": True,
        "bytes": 40_000_000,
        "stored": True,
        "size": True,
        "found": True,
        "others": [],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_snapshots_are_copied_there_and_back(
    worker: Any, servers: dict[str, Storage], kind: Kind
) -> None:
    repositories = beside(worker, servers[kind])
    lines = """
for repository in repositories: ready(repository, like=first)
here = first.save_output(random(3_000_000), "keelson.dump", ["logical", "run:1"], {})
second.copy_from(first, [here.snapshot])
(copied,) = second.snapshots("run:1")
there = second.save_output(text("only there"), "keelson.dump", ["logical", "run:2"], {})
first.copy_from(second, [there.snapshot])
second.copy_from(first, [here.snapshot])  # again: nothing happens
(back,) = first.snapshots("run:2")
first.read_file(here.snapshot, "/keelson.dump", folder.path / "a")
second.read_file(copied.id, "/keelson.dump", folder.path / "b")
first.read_file(back.id, "/keelson.dump", folder.path / "c")
answer = [
    (folder.path / "a").read_bytes() == (folder.path / "b").read_bytes(),
    (folder.path / "c").read_text(),
    len(second.snapshots()),
]
"""

    assert repositories.told(lines) == [True, "only there", 2]


def test_sftp_and_s3_copy_from_each_other(worker: Any, servers: dict[str, Storage]) -> None:
    told = targets(servers["sftp"], servers["s3"], local=False)
    repositories = Repositories(worker, told)
    lines = """
for repository in repositories: ready(repository, like=first)
one = first.save_output(text("by ssh"), "keelson.dump", ["run:1"], {})
second.copy_from(first, [one.snapshot])
first.copy_from(second, [second.save_output(text("by s3"), "keelson.dump", ["run:2"], {}).snapshot])
answer = [len(first.snapshots()), len(second.snapshots())]
"""

    assert repositories.told(lines) == [2, 2]


def test_a_folder_comes_back_whole_or_in_part(local: Repositories) -> None:
    lines = """
ready(first)
tree = folder.path / "tree"
(tree / "deep").mkdir(parents=True)
(tree / "deep" / "a").write_text("A")
(tree / "b").write_text("B")
saved = first.save_folder(tree, ["base", "run:1"])
first.read_folder(saved.snapshot, tree, folder.path / "all")
first.read_folder(saved.snapshot, tree, folder.path / "one", include="/deep")
def names(where): return sorted(str(p.relative_to(where)) for p in where.rglob("*") if p.is_file())
answer = [names(folder.path / "all"), names(folder.path / "one")]
"""

    assert local.told(lines) == [["b", "deep/a"], ["deep/a"]]


@pytest.mark.parametrize("kind", DELETABLE)
def test_what_is_let_go_is_gone_and_its_room_comes_back(
    worker: Any, servers: dict[str, Storage], kind: Kind
) -> None:
    lines = """
kept = second.save_output(text("kept"), "keelson.dump", ["run:2"], {})
before = second.size()
with locks.exclusive(folder, second.target.name):
    second.forget([saved.snapshot])
    second.prune()
second.check("1/1")
answer = [[s.id for s in second.snapshots()] == [kept.snapshot], before - second.size() >= 3_000_000]
"""

    assert beside(worker, servers[kind]).told(TAKEN + lines) == [True, True]


def test_the_local_target_gives_its_room_back_too(local: Repositories) -> None:
    lines = """
before = first.size()
first.forget([saved.snapshot])
first.prune()
answer = [first.snapshots(), before - first.size() >= 3_000_000]
"""

    assert local.told(TAKEN + lines) == [[], True]


def test_an_append_only_server_is_asked_to_delete_nothing(
    worker: Any, servers: dict[str, Storage]
) -> None:
    repositories = beside(worker, servers["rest-append-only"])

    kind, message = repositories.refused(TAKEN + "second.forget([saved.snapshot])")

    assert kind == "TargetError"
    assert "target rest: it is append-only, so nothing can be deleted from here" in message
    assert repositories.told("answer = len(second.snapshots())") == 1


def test_an_append_only_server_that_is_not_called_so_refuses_and_it_is_said_what_to_set(
    worker: Any, servers: dict[str, Storage]
) -> None:
    repositories = beside(worker, servers["rest-append-only"])
    repositories.environment["BACKUP_REST_APPEND_ONLY"] = "false"

    kind, message = repositories.refused(TAKEN + "second.forget([saved.snapshot])")

    assert kind == "TargetError"
    assert "set BACKUP_REST_APPEND_ONLY" in message
    assert repositories.told("answer = len(second.snapshots())") == 1


def test_the_second_time_almost_nothing_is_stored(local: Repositories) -> None:
    lines = """
ready(first)
made = folder.path / "made"
made.write_bytes(os.urandom(5_000_000))
saved = [first.save_output(["cat", str(made)], "keelson.dump", [f"run:{n}"], {}) for n in (1, 2)]
answer = [one.bytes_new > 1000 * 1000 for one in saved]
"""

    assert local.told(lines) == [True, False]


def test_a_repository_is_told_from_the_one_that_comes_after_it(local: Repositories) -> None:
    which = "ready(first)\nfirst.exists()\nanswer = first.id"
    before, again = local.told(which), local.told(which)
    local.sh(f"rm -rf {local.folder}/repository")

    after = local.told(which)

    assert len(before) == len(after) == 64
    assert before == again != after


def test_another_key_opens_nothing(local: Repositories) -> None:
    local.told(TAKEN)
    local.environment["BACKUP_REPOSITORY_KEY"] = "another"

    kind, message = local.refused("ready(first)")

    assert kind == "TargetError"
    assert "was BACKUP_REPOSITORY_KEY changed" in message


def test_private_keys_are_files_of_our_own_for_as_long_as_they_are_needed(
    worker: Any, servers: dict[str, Storage]
) -> None:
    lines = """
keys = [p for p in Path("/tmp").glob("keelson-keys-*")]
answer = sorted(oct(p.stat().st_mode)[-3:] for k in keys for p in [k, *k.iterdir()])
"""
    repositories = Repositories(worker, targets(servers["sftp"]))

    assert repositories.told(lines) == ["600", "600", "700"]
    assert repositories.sh("ls -d /tmp/keelson-keys-* 2>/dev/null || true") == ""
