import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.web_app import NO_DATABASE, SECRET_KEY

GIVEN = {"PATH": os.defpath, "SECRET_KEY": SECRET_KEY, "DATABASE_URL": NO_DATABASE}


def run_web(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "web", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_wrong_settings_are_listed_and_end_it_with_78(arguments: list[str]) -> None:
    environment = {
        "PATH": os.defpath,
        "SECRET_KEY": SECRET_KEY,
        "SECRET_KEY_FILE": "/nonexistent",
        "WEB_THREADS": "none",
    }

    done = run_web(*arguments, **environment)

    assert done.returncode == 78
    named = [line.partition(":")[0] for line in done.stderr.splitlines()]
    assert sorted(named) == ["DATABASE_URL", "SECRET_KEY", "WEB_THREADS"]
    assert SECRET_KEY not in done.stderr
    assert done.stdout == ""


def test_check_of_good_settings_serves_nothing() -> None:
    done = run_web("--check", **GIVEN)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_unknown_argument_is_refused() -> None:
    done = run_web("check", **GIVEN)

    assert done.returncode == 2
    assert "invalid choice: 'check'" in done.stderr


def test_operator_link_without_a_database_says_so() -> None:
    done = run_web("operator-link", **GIVEN)

    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith("the database is away: ")
