"""The heartbeat's file, and the probe that reads it."""

import os
import sys
from pathlib import Path

import pytest

from common import heartbeat
from common.heartbeat import Heartbeat


def test_a_heartbeat_has_no_age_before_the_first_beat(tmp_path: Path) -> None:
    assert Heartbeat(tmp_path / "beat").age_seconds() is None


@pytest.mark.parametrize(
    ("age_seconds", "expected"),
    [
        pytest.param(5, 0, id="young"),
        pytest.param(500, 1, id="old"),
        pytest.param(-500, 1, id="of before the clock was set back"),
        pytest.param(None, 1, id="none"),
    ],
)
def test_the_probe_fails_when_the_loop_is_stuck(
    age_seconds: int | None, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "beat"
    monkeypatch.setattr(heartbeat, "FILE", file)
    monkeypatch.setattr(sys, "argv", ["heartbeat", "60"])
    if age_seconds is not None:
        Heartbeat(file).beat()
        then = file.stat().st_mtime - age_seconds
        os.utime(file, (then, then))

    assert heartbeat.main() == expected
