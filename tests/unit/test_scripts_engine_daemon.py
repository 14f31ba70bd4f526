"""scripts/engine starts the daemon: over stale files, beside live ones, and on small links."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docker_machine import DockerMachine

PID_FILES = ["var/run/docker.pid", "var/run/docker/containerd/containerd.pid"]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[DockerMachine]:
    """A bare Debian 12."""
    bare = DockerMachine(tmp_path)
    yield bare
    bare.end_daemon()


def test_a_daemon_that_was_started_by_hand_and_is_gone_is_started_again(
    machine: DockerMachine,
) -> None:
    machine.install()

    done = machine.run("engine")

    assert done.returncode == 0, done.stderr
    assert machine.calls("dockerd") == ["dockerd "]
    assert machine.calls("apt-get", "systemctl") == []


def test_where_systemd_runs_it_starts_the_daemon(machine: DockerMachine) -> None:
    machine.install()
    machine.write("run/systemd/system/.keep")
    machine.program("systemctl", 'touch "$ROOT/run/answers"')

    done = machine.run("engine")

    assert done.returncode == 0, done.stderr
    assert machine.calls("systemctl", "dockerd") == ["systemctl enable --now docker"]


@pytest.mark.parametrize("file", PID_FILES)
@pytest.mark.parametrize("number", ["2000000000", str(os.getpid())], ids=["nobody's", "another's"])
def test_a_stale_pid_file_is_removed_before_the_start(
    machine: DockerMachine, file: str, number: str
) -> None:
    machine.install()
    stale = machine.write(file, number)

    done = machine.run("engine")

    assert done.returncode == 0, done.stderr
    assert f"removing the stale {stale}" in done.stderr
    assert not stale.exists()


def test_the_pid_file_of_a_containerd_that_lives_is_kept(machine: DockerMachine) -> None:
    machine.install()
    with machine.running("containerd") as number:
        kept = machine.write(PID_FILES[1], str(number))

        done = machine.run("engine")

    assert done.returncode == 0, done.stderr
    assert kept.exists()


def test_a_daemon_that_is_starting_already_is_waited_for(machine: DockerMachine) -> None:
    machine.install()
    machine.program("sleep", 'touch "$ROOT/run/answers"')
    with machine.running("dockerd") as number:
        kept = machine.write(PID_FILES[0], str(number))

        done = machine.run("engine")

    assert done.returncode == 0, done.stderr
    assert machine.calls("dockerd") == ["dockerd "]  # the one that ran
    assert kept.exists()


def test_a_daemon_that_never_answers_is_given_up_with_its_number(machine: DockerMachine) -> None:
    machine.install()
    with machine.running("dockerd") as number:
        machine.write(PID_FILES[0], str(number))

        done = machine.run("engine")

    assert done.returncode == 1
    assert f"the daemon (process {number}) does not answer after 60 s" in done.stderr


def test_a_daemon_that_ends_at_once_is_reported_with_its_last_words(machine: DockerMachine) -> None:
    machine.install()
    machine.program("dockerd", "echo no space left on device >&2; exit 1")

    done = machine.run("engine")

    assert done.returncode == 1
    assert "the daemon stopped at once: no space left on device" in done.stderr


@pytest.mark.parametrize(
    ("mtu", "before", "after"),
    [
        pytest.param("1420", None, '{ "mtu": 1420 }\n', id="a small link"),
        pytest.param("1500", None, None, id="an ordinary link"),
        pytest.param(
            "1420", '{ "debug": true }\n', '{ "debug": true }\n', id="somebody's own file"
        ),
    ],
)
def test_bridges_take_the_mtu_of_a_small_link_only_and_over_no_file(
    machine: DockerMachine, mtu: str, before: str | None, after: str | None
) -> None:
    machine.install()
    machine.write("sys/class/net/eth0/mtu", f"{mtu}\n")
    if before is not None:
        machine.write("etc/docker/daemon.json", before)

    done = machine.run("engine")

    config = machine.root / "etc/docker/daemon.json"
    assert done.returncode == 0, done.stderr
    assert (config.read_text(encoding="utf-8") if config.exists() else None) == after


def test_a_machine_without_a_default_route_keeps_dockers_mtu(machine: DockerMachine) -> None:
    machine.install()
    machine.write("proc/net/route", "Iface Destination Gateway\n")

    done = machine.run("engine")

    assert done.returncode == 0, done.stderr
    assert not (machine.root / "etc/docker").exists()
