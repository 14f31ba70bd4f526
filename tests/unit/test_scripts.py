"""What holds for every script; what each does is in a file of its own."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


SHELL_SCRIPTS = [
    path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file() and not path.suffix
]


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_every_script_says_how_it_is_used_and_is_strict(script: Path) -> None:
    text = script.read_text(encoding="utf-8")

    assert text.splitlines()[1].startswith("# usage: ")
    assert "set -Eeuo pipefail" in text
    assert run("bash", "-n", str(script)).returncode == 0


def test_make_lists_every_target_that_a_person_uses() -> None:
    listed = run("make").stdout

    for target in ("up", "dev", "test", "backup", "restore", "logs", "psql"):
        assert f"make {target} " in listed
