"""scripts/venv, in a checkout of two files and with a Python that only notes what it was told."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.unit.machine import Machine, installed

PYTHON = """
case "$*" in
    *version_info*) exit "${OLD:-0}" ;;
    *ensurepip*) [[ -e $ROOT/ensurepip ]] ;;
    *"venv --clear"*) mkdir -p .venv/bin && cp "$BIN/pip" .venv/bin/pip ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing but the script and the pins."""
    folder = tmp_path / "checkout"
    for name in ("scripts/venv", "requirements/dev.txt"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian 12 with Python and its venv."""
    made = Machine(tmp_path)
    made.write("ensurepip")
    made.program("python3", PYTHON)
    made.program("pip")
    made.program("apt-get", 'touch "$ROOT/ensurepip"')
    return made


def test_the_pinned_tools_are_installed_with_their_hashes(machine: Machine, checkout: Path) -> None:
    done = machine.run("venv", folder=checkout)

    assert done.returncode == 0, done.stderr
    assert [call.split()[-3:] for call in machine.calls("pip")] == [
        ["--require-hashes", "--requirement", "requirements/dev.txt"]
    ]


def test_it_is_done_again_only_when_the_pins_changed(machine: Machine, checkout: Path) -> None:
    machine.run("venv", folder=checkout)
    machine.run("venv", folder=checkout)
    unchanged = len(machine.calls("pip"))

    (checkout / "requirements/dev.txt").write_text("other==1\n", encoding="utf-8")
    machine.run("venv", folder=checkout)

    assert (unchanged, len(machine.calls("pip"))) == (1, 2)


def test_an_installation_that_failed_is_tried_again(machine: Machine, checkout: Path) -> None:
    machine.program("pip", "echo no route to host >&2; exit 1")
    failed = machine.run("venv", folder=checkout)
    machine.program("pip")

    done = machine.run("venv", folder=checkout)

    assert failed.returncode == 1
    assert "no route to host" in failed.stderr
    assert (done.returncode, len(machine.calls("pip"))) == (0, 2)


def test_a_python_that_is_too_old_is_refused(machine: Machine, checkout: Path) -> None:
    done = machine.run("venv", folder=checkout, OLD="1")

    assert done.returncode == 1
    assert "needs Python 3.11 or later; PYTHON=/path/to/it names another one" in done.stderr


def test_debians_python_gets_its_venv(machine: Machine, checkout: Path) -> None:
    (machine.root / "ensurepip").unlink()

    done = machine.run("venv", folder=checkout)

    assert done.returncode == 0, done.stderr
    assert installed(machine.calls("apt-get")) == ["python3-venv"]


def test_without_root_it_says_what_to_install(machine: Machine, checkout: Path) -> None:
    (machine.root / "ensurepip").unlink()
    machine.program("id", "echo 1000")

    done = machine.run("venv", folder=checkout)

    assert done.returncode == 1
    assert "install its venv package (python3-venv on Debian)" in done.stderr
    assert machine.calls("apt-get", "pip") == []
