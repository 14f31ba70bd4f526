"""What the database refuses before it touches anything."""

import os
import subprocess
from pathlib import Path

import pytest

ENTRYPOINT = Path(__file__).parents[2] / "db/entrypoint"
PAIR = "BACKUP_SYNCHRONOUS: commits would wait for ever, as BACKUP_POINT_IN_TIME is false"


def started(**environment: str) -> subprocess.CompletedProcess[str]:
    """Start it where there is neither a volume, nor a secret, nor any program: it never comes far."""
    command = ["/bin/bash", str(ENTRYPOINT)]
    given = {"PATH": "/nowhere", "PGDATA": "/nowhere", **environment}
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("off", ["false", "False", "0", "no", "off"])
def test_commits_that_would_wait_for_nobody_are_refused(off: str) -> None:
    ended = started(BACKUP_SYNCHRONOUS="true", BACKUP_POINT_IN_TIME=off)

    assert ended.returncode == os.EX_CONFIG
    assert PAIR in ended.stderr


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="nothing is set"),
        pytest.param({"BACKUP_SYNCHRONOUS": "", "BACKUP_POINT_IN_TIME": ""}, id="set to nothing"),
        pytest.param({"BACKUP_SYNCHRONOUS": "true"}, id="point in time is on by itself"),
        pytest.param({"BACKUP_SYNCHRONOUS": "1", "BACKUP_POINT_IN_TIME": "on"}, id="both are on"),
        pytest.param({"BACKUP_POINT_IN_TIME": "false"}, id="neither"),
    ],
)
def test_all_other_pairs_are_taken(environment: dict[str, str]) -> None:
    assert "BACKUP_" not in started(**environment).stderr


def test_what_is_not_true_or_false_is_refused() -> None:
    ended = started(BACKUP_POINT_IN_TIME="perhaps")

    assert ended.returncode == os.EX_CONFIG
    assert "BACKUP_POINT_IN_TIME: write true or false, not 'perhaps'" in ended.stderr
