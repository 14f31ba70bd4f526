"""What restic is asked, and what is made of how it ends; the real one is asked by the tests of integration."""

from collections.abc import Callable
from pathlib import Path

import pytest

from backup import processes
from backup.repository.errors import RepositoryDamagedError, TargetError, VanishedError
from backup.repository.restic import Repository
from backup.repository.targets import Target
from tests.restic import FakeRestic


@pytest.fixture
def restic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRestic:
    fake = FakeRestic(tmp_path / "bin")
    monkeypatch.setattr(processes, "PATH", fake.path)
    return fake


@pytest.fixture
def local(tmp_path: Path) -> Repository:
    return Repository(Target("local", "local", f"{tmp_path}/repository"), "key", None)


def test_a_check_locks_nobody_out(restic: FakeRestic, local: Repository) -> None:
    restic.does("exit 0")

    local.check("2/7")

    (asked,) = restic.calls("check")
    assert (
        "--no-lock" in asked
    )  # with restic's lock nothing could be stored for as long as it takes


HICCUP = 'verb dump && [ $(said dump) = 1 ] && { echo half; echo "Fatal: EOF" >&2; exit 1; }; echo -n whole'


def test_what_can_not_be_read_at_once_is_read_again(
    restic: FakeRestic, local: Repository, tmp_path: Path
) -> None:
    restic.does(HICCUP)

    local.read_file("5nap5h0t", "/keelson.dump", tmp_path / "out")

    assert (tmp_path / "out").read_text(encoding="utf-8") == "whole"


@pytest.mark.parametrize(
    ("said", "calls"), [("Fatal: EOF", 2), ("ciphertext verification failed", 1)]
)
def test_only_what_says_so_or_fails_twice_is_damage(
    restic: FakeRestic, local: Repository, tmp_path: Path, said: str, calls: int
) -> None:
    restic.does(f'verb dump && echo "{said}" >&2; exit 1')

    with pytest.raises(RepositoryDamagedError):
        local.read_file("5nap5h0t", "/keelson.dump", tmp_path / "out")

    assert len(restic.calls("dump")) == calls


@pytest.fixture
def other(tmp_path: Path) -> Repository:
    return Repository(Target("local-2", "local", f"{tmp_path}/other"), "key", None)


def test_of_a_copy_that_meets_damage_both_ends_are_named(
    restic: FakeRestic, local: Repository, other: Repository
) -> None:
    restic.does('echo "Fatal: ciphertext verification failed" >&2; exit 1')

    with pytest.raises(RepositoryDamagedError) as raised:
        other.copy_from(local, ["5nap5h0t"])

    assert str(raised.value).startswith("target local-2: restic copy from local ended with 1")
    assert "whether local or local-2 is damaged" in str(raised.value)
    assert "move it away" not in str(raised.value)  # it may be the good one


def test_what_the_source_does_not_have_any_more_is_not_called_copied(
    restic: FakeRestic, local: Repository, other: Repository
) -> None:
    restic.does('echo "Ignoring \\"5nap5h0t\\": no matching ID found" >&2')  # and it ends with 0

    with pytest.raises(VanishedError, match="target local: 1 snapshots can't be copied"):
        other.copy_from(local, ["5nap5h0t"])


def test_a_thousand_snapshots_go_in_batches(restic: FakeRestic, local: Repository) -> None:
    restic.does("verb snapshots && echo '[]'; exit 0")
    ids = [f"{number:064}" for number in range(1001)]

    local.forget(ids)

    batches = [call[1:] for call in restic.calls("forget")]
    assert [len(batch) for batch in batches] == [500, 500, 1]
    assert [one for batch in batches for one in batch] == ids


def test_a_program_that_can_not_be_started_is_the_targets_trouble(
    restic: FakeRestic, local: Repository
) -> None:
    restic.does("exit 0")

    with pytest.raises(TargetError, match="target local: restic can't be started: Argument list"):
        local.copy_from(local, ["x" * 200_000])


def test_only_beside_us_all_locks_are_removed(restic: FakeRestic, local: Repository) -> None:
    restic.does("exit 0")
    Repository(Target("sftp", "sftp", "sftp://u@vault/f"), "key", None).unlock()

    local.unlock()

    elsewhere, beside = restic.calls("unlock")
    assert "--remove-all" not in elsewhere  # another machine may be at work there
    assert "--remove-all" in beside


def impatient(local: Repository, still_seconds: float) -> Repository:
    return Repository(local.target, "key", None, still_seconds)


@pytest.mark.parametrize(
    "do",
    [
        pytest.param(lambda one, out: one.read_file("5nap", "/keelson.dump", out), id="dump"),
        pytest.param(lambda one, out: one.read_folder("5nap", Path("/f"), out), id="restore"),
        pytest.param(lambda one, _: one.copy_from(one, ["5nap"]), id="copy"),
        pytest.param(lambda one, _: one.prune(), id="prune"),
        pytest.param(lambda one, _: one.check(), id="check"),
    ],
)
def test_a_call_that_comes_no_further_is_ended(
    restic: FakeRestic, local: Repository, tmp_path: Path, do: Callable[[Repository, Path], None]
) -> None:
    restic.does("echo -n half; exec sleep 1000")

    with pytest.raises(TargetError, match="nothing had moved for 1 s"):
        do(impatient(local, 1), tmp_path / "out")


def test_a_call_that_goes_on_has_all_the_time_that_it_needs(
    restic: FakeRestic, local: Repository, tmp_path: Path
) -> None:
    restic.does("for n in 1 2 3 4 5 6; do head -c 100000 /dev/zero; sleep 0.4; done")

    impatient(local, 1.5).read_file("5nap5h0t", "/keelson.dump", tmp_path / "out")

    assert (tmp_path / "out").stat().st_size == 600_000
