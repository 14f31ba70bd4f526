"""What fails, is killed, or finds no room half way: nothing is stored, nothing is left, and the next time works."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.postgres import Database
from tests.integration.repositories import SMALL, Repositories, worker_of
from tests.integration.storage import storage, targets
from tests.waiting import eventually

GOOD = """
saved = first.save_output(text("good"), "keelson.dump", ["run:9"], {})
first.read_file(saved.snapshot, "/keelson.dump", folder.path / "back")
answer = [(folder.path / "back").read_text(), len(first.snapshots())]
"""
ENDLESS = """
first.save_output(["bash", "-c", "head --bytes 30000000 /dev/urandom; sleep 1000"], "keelson.dump", ["run:1"], {})
"""
KILL_RESTIC = """
for process in /proc/[0-9]*; do
    [[ $(tr '\\0' ' ' <$process/cmdline) != "restic --repo"* ]] || kill -9 ${process#/proc/}
done 2>/dev/null
"""
TELL = "Path('/tmp/telling').write_text(str(error)); Path('/tmp/telling').rename('/tmp/told')"


@pytest.fixture(scope="module")
def worker(database: Database) -> Iterator[Any]:
    with worker_of(database) as container:
        yield container


@pytest.fixture
def local(worker: Any) -> Iterator[Repositories]:
    repositories = Repositories(worker, {})
    repositories.told("ready(first)")
    yield repositories
    assert repositories.processes("restic --repo") == []
    assert repositories.processes("sleep 1000") == []


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("head --bytes 5000000 /dev/urandom; exit 3", id="it fails at its end"),
        pytest.param("exit 1", id="it fails before it has written anything"),
        pytest.param("head --bytes 5000000 /dev/urandom; kill -9 $$", id="it is killed"),
        pytest.param("true", id="it writes nothing, and is content"),
    ],
)
def test_a_program_that_fails_leaves_no_snapshot(local: Repositories, program: str) -> None:
    lines = f"""
try: first.save_output(["bash", "-c", "{program}"], "keelson.dump", ["run:1"], {{}})
except TargetError as error: told = str(error)
answer = [told.partition(" ended with")[0], first.snapshots()]
"""

    told, left = local.told(lines)

    assert told.startswith("target local: restic backup")
    assert left == []
    assert local.told(GOOD) == ["good", 1]


def test_a_program_that_is_not_there_is_told(local: Repositories) -> None:
    kind, message = local.refused('first.save_output(["no-such-program"], "a", [], {})')

    assert kind in {"TargetError", "IncompleteError"}
    assert "no-such-program" in message
    assert local.told("answer = first.snapshots()") == []


def test_restic_killed_leaves_no_snapshot_and_no_orphan(local: Repositories) -> None:
    local.begin(ENDLESS)
    eventually(lambda: local.processes("sleep 1000"), 30, "the program writes")

    local.sh(f"kill -9 {local.processes('restic --repo')[-1]}")

    eventually(lambda: not local.processes("sleep 1000"), 30, "the program has ended with it")
    assert local.told(GOOD) == ["good", 1]


def test_the_worker_killed_takes_restic_and_the_program_with_it(local: Repositories) -> None:
    local.begin(ENDLESS)
    eventually(lambda: local.processes("sleep 1000"), 30, "the program writes")

    local.sh(f"kill -9 {local.processes('python -c')[0]}")

    eventually(lambda: not local.processes("sleep 1000"), 30, "the program has ended with it")
    eventually(lambda: not local.processes("restic --repo"), 30, "restic has ended with it")
    assert local.told(GOOD) == ["good", 1]


def test_a_program_that_writes_no_more_is_ended(local: Repositories) -> None:
    lines = """
stuck = Repository(first.target, "correct-horse-battery-staple", None, still_seconds=3)
try: stuck.save_output(["sleep", "1000"], "keelson.dump", ["run:1"], {})
except TargetError as error: answer = [str(error), first.snapshots()]
"""
    began = time.monotonic()

    told, left = local.told(lines)

    assert "nothing had moved for 3 s, so it was ended" in told
    assert left == []
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("verb", ["forget", "prune", "backup"])
def test_locks_of_what_was_killed_stop_nobody(local: Repositories, verb: str) -> None:
    local.told(GOOD)
    local.begin(ENDLESS)
    eventually(lambda: local.sh(f"ls {local.folder}/repository/locks"), 30, "it has a lock")
    eventually(lambda: local.processes("sleep 1000"), 30, "the program writes")
    local.sh(f"kill -9 {local.processes('restic --repo')[-1]}")
    eventually(lambda: not local.processes("python -c"), 30, "nothing is at work any more")
    assert local.sh(f"ls {local.folder}/repository/locks")
    lines = {
        "forget": "first.forget([s.id for s in first.snapshots()])",
        "prune": "first.prune()",
        "backup": 'first.save_output(text("again"), "keelson.dump", [], {})',
    }

    local.told(f"{lines[verb]}\nanswer = None")

    local.told("first.prune()\nfirst.check('1/1')")
    assert local.sh(f"ls {local.folder}/repository/locks") == ""


def test_prune_killed_with_its_lock_stops_nobody(local: Repositories) -> None:
    local.told(GOOD)
    local.begin("first.prune()")
    lock = f"{local.folder}/repository/locks"

    # In one shell: a prune of so little is over in less time than it takes to start a second one.
    local.sh(f"until ls {lock}/*; do :; done 2>/dev/null; {KILL_RESTIC}")
    eventually(lambda: not local.processes("python -c"), 30, "nothing is at work any more")

    assert local.sh(f"ls {lock}")
    assert local.told(GOOD) == ["good", 2]


def test_a_full_disk_ends_it_in_seconds_and_says_so(worker: Any) -> None:
    small = Repositories(worker, {}, folder=SMALL)
    small.told("first.create()")
    began = time.monotonic()

    kind, message = small.refused(
        'first.save_output(random(80_000_000), "keelson.dump", ["run:1"], {})'
    )

    assert kind == "FullError"
    assert "there is no room at /small/repository" in message
    assert "no space left on device" in message
    assert time.monotonic() - began < 60
    assert small.processes("restic --repo") == []
    assert small.told("first.prune()\nanswer = first.snapshots()") == []


def test_a_full_server_ends_it_in_seconds_and_says_so(database: Database, worker: Any) -> None:
    for kind in ("sftp", "rest"):
        with storage(database, kind, f"test-full-{kind}", tmpfs="30m") as server:
            full = Repositories(worker, targets(server))
            began = time.monotonic()

            lines = 'second.create()\nsecond.save_output(random(80_000_000), "a", ["run:1"], {})'
            name, message = full.refused(lines)

            assert (name, time.monotonic() - began < 120) == ("FullError", True), message


def test_what_is_read_to_a_full_disk_is_not_called_damaged(worker: Any) -> None:
    repositories = Repositories(worker, {})
    lines = """
ready(first)
saved = first.save_output(random(50_000_000), "keelson.dump", ["run:1"], {})
first.read_file(saved.snapshot, "/keelson.dump", Path("/small/out"))
"""

    kind, message = repositories.refused(lines)
    repositories.sh("rm /small/out")

    assert kind == "FullError"
    assert "there is no room where it writes to" in message


def test_a_server_that_hangs_while_we_store_is_not_waited_for_without_an_end(
    database: Database, worker: Any
) -> None:
    lines = """
impatient = Repository(second.target, settings.backup_repository_key.get_secret_value(), folder.cache, still_seconds=5)
impatient.save_output(["bash", "-c", "touch /tmp/begun; cat /dev/urandom"], "a", ["run:1"], {})
"""
    with storage(database, "sftp", "test-hangs") as server:
        repositories = Repositories(worker, targets(server))
        repositories.told("ready(second)")
        repositories.begin(f"try:\n{indented(lines)}\nexcept TargetError as error:\n    {TELL}")
        eventually(lambda: "begun" in repositories.sh("ls /tmp"), 30, "it stores")
        server.pause()
        try:
            eventually(lambda: "told" in repositories.sh("ls /tmp"), 60, "it has given up")
        finally:
            server.unpause()

        assert "nothing had moved for 5 s, so it was ended" in repositories.sh("cat /tmp/told")
        assert repositories.told("answer = second.snapshots()") == []
        assert repositories.processes("restic --repo") == []


def indented(lines: str) -> str:
    """Return the lines one step further in."""
    return "\n".join(f"    {line}" for line in lines.strip().splitlines())


def test_a_server_that_goes_away_half_way_has_damaged_nothing(
    database: Database, worker: Any
) -> None:
    with storage(database, "rest", "test-away") as server:
        repositories = Repositories(worker, targets(server))
        repositories.told(
            'ready(second)\nsecond.save_output(random(9_000_000), "a", ["run:1"], {})'
        )
        server.stop()

        kind, _ = repositories.refused("preflight.reach(second.target)")

        assert kind == "TargetError"
        server.start()
        assert repositories.told("second.check('1/1')\nanswer = len(second.snapshots())") == 1
