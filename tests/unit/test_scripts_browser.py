"""scripts/browser, on machines whose archive is a few lines of shell."""

from pathlib import Path

import pytest

from tests.unit.machine import Machine, installed


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian 12 without Chromium."""
    made = Machine(tmp_path)
    made.program("apt-get")
    made.program("apt-cache", '[[ "$*" == "show chromium" ]]')
    return made


def test_a_chromium_on_path_is_enough(machine: Machine) -> None:
    machine.program("chromium")

    done = machine.run("browser")

    assert (done.returncode, done.stderr) == (0, "")
    assert machine.calls("apt-get") == []


def test_debians_own_is_installed(machine: Machine) -> None:
    done = machine.run("browser")

    assert done.returncode == 0, done.stderr
    assert installed(machine.calls("apt-get")) == ["chromium", "fonts-dejavu-core"]


def test_where_the_archive_has_none_as_ubuntus_it_says_what_to_do(machine: Machine) -> None:
    machine.program("apt-cache", "exit 100")

    done = machine.run("browser")

    assert done.returncode == 1
    assert "Put any Chromium or Chrome on PATH under the name chromium" in done.stderr
    assert installed(machine.calls("apt-get")) == []


def test_without_root_it_says_what_to_install(machine: Machine) -> None:
    machine.program("id", "echo 1000")

    done = machine.run("browser")

    assert done.returncode == 1
    assert "needs chromium on PATH" in done.stderr
    assert machine.calls("apt-get") == []
