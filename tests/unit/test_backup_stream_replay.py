"""How a server that replays the log is handed its files, and what it must have reached."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup.errors import DamagedError
from backup.stream import replay
from backup.stream.segments import SIZE

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAME = "000000010000000000000001"


def fetch(root: Path, *, out: str = "out") -> int:
    """Ask for a file as PostgreSQL does, and return the exit code."""
    folders = [root / "near", root / "far"]
    script = root / "fetch"
    script.write_text(replay.fetching(folders), encoding="utf-8")
    command = ["/bin/sh", str(script), NAME, str(root / out)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def write(path: Path, size: int = SIZE) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def test_the_whole_file_comes_before_the_partial_one(tmp_path: Path) -> None:
    write(tmp_path / "near" / f"{NAME}.partial")
    write(tmp_path / "far" / NAME)

    assert fetch(tmp_path) == 0
    assert (tmp_path / "out").stat().st_size == SIZE


def test_a_partial_file_that_is_short_is_taken_from_elsewhere(tmp_path: Path) -> None:
    write(tmp_path / "near" / f"{NAME}.partial", 1)
    write(tmp_path / "far" / f"{NAME}.partial")

    assert fetch(tmp_path) == 0
    assert (tmp_path / "out").stat().st_size == SIZE


def test_a_file_that_is_not_there_is_the_log_s_end(tmp_path: Path) -> None:
    assert fetch(tmp_path) == 1


@pytest.mark.parametrize("name", [NAME, f"{NAME}.partial"])
def test_a_file_that_can_not_be_copied_is_no_end_of_the_log(tmp_path: Path, name: str) -> None:
    write(tmp_path / "near" / name)

    code = fetch(tmp_path, out="no folder/out")

    assert code > 128  # PostgreSQL ends at once, where a lower one means that there is no more


def test_what_does_not_reach_what_is_known_to_be_stored_is_damaged() -> None:
    replay.require_reached(NOON, NOON)
    replay.require_reached(NOON + timedelta(seconds=1), NOON)
    replay.require_reached(None, None)
    for last in (None, NOON - timedelta(seconds=1)):
        with pytest.raises(DamagedError, match="known to reach 2026-01-01 12:00"):
            replay.require_reached(last, NOON)
