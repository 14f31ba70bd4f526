"""A private relay's authority: from an operator's file to the mailer that trusts it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.stack.smtp.certificates import make_certificate
from tests.stack.stack import Stack

EX_CONFIG = 78
SETTING = {"MAIL_CA_FILE": "/run/keelson/mailer/mail_ca"}


@pytest.fixture
def unstarted(tmp_path: Path) -> Iterator[Stack]:
    """The stack as an operator has it, of which only init has run."""
    stack = Stack(tmp_path, ["compose.yaml"], settings=SETTING)
    try:
        stack.compose("run", "--rm", "--no-deps", "-T", "init")
        yield stack
    finally:
        stack.compose("--profile", "*", "down", "--volumes", check=False)


def test_authority_that_make_secret_keeps_is_loaded_by_the_mailer(
    unstarted: Stack, tmp_path: Path
) -> None:
    authority = make_certificate(tmp_path, "relay.example").authority
    check = ("run", "--rm", "--no-deps", "-T", "mailer", "python", "-m", "mailer", "--check")

    before = unstarted.try_compose(*check)
    subprocess.run(
        [
            *("make", "--old-file=engine", "secret", "NAME=mail_ca", f"FILE={authority}"),
            f"COMPOSE={' '.join(unstarted.command)}",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    after = unstarted.try_compose(*check)

    assert before.returncode == EX_CONFIG
    assert "MAIL_CA_FILE: cannot load a certificate authority" in before.stderr
    assert after.returncode == 0, after.stderr


def test_test_stack_keeps_its_own_authority(tmp_path: Path) -> None:
    stack = Stack(tmp_path, ["compose.yaml", "compose.test.yaml"], settings=SETTING)

    assert "MAIL_CA_FILE: /ca/smtp-ca.crt" in stack.compose("config")
