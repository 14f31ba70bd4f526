"""`make secret`: what it hands to init, and where from."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    """A program in the place of `docker compose`: it tells how it was called, and what with."""
    program = tmp_path / "compose"
    program.write_text("#!/bin/sh\necho called: $*\ncat\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def make_secret(compose: Path, *words: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    command = ["make", "--old-file=engine", "secret", f"COMPOSE={compose}", *words]
    return subprocess.run(
        command, cwd=ROOT, input=typed, capture_output=True, text=True, check=False
    )


def test_secret_that_is_typed_is_handed_to_init_without_the_end_of_its_line(compose: Path) -> None:
    done = make_secret(compose, "NAME=mail_password", typed="correct \\ horse\n")

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(
        "called: run --rm --no-deps -T init init put mail_password\ncorrect \\ horse"
    )


def test_file_is_handed_to_init_as_it_is(compose: Path, tmp_path: Path) -> None:
    file = tmp_path / "their ca.pem"
    file.write_text("line 1\nline 2\n", encoding="utf-8")

    done = make_secret(compose, "NAME=mail_ca", f"FILE={file}")

    assert done.stdout == ("called: run --rm --no-deps -T init init put mail_ca\nline 1\nline 2\n")


def test_file_that_is_not_there_ends_it_before_init_is_called(
    compose: Path, tmp_path: Path
) -> None:
    done = make_secret(compose, "NAME=mail_ca", f"FILE={tmp_path}/none.pem")

    assert done.returncode != 0
    assert "none.pem: No such file" in done.stderr
    assert "called" not in done.stdout
