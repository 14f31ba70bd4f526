"""scripts/engine installs what is missing, and only that."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docker_machine import DockerMachine
from tests.unit.machine import installed


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[DockerMachine]:
    """A bare Debian 12."""
    bare = DockerMachine(tmp_path)
    yield bare
    bare.end_daemon()


@pytest.mark.parametrize("version", ["2.26.1-4", "v2.40.3", "5.0.1"])
def test_where_all_is_well_nothing_is_done(machine: DockerMachine, version: str) -> None:
    machine.install(version)
    machine.write("run/answers")

    done = machine.run("engine")

    assert (done.returncode, done.stderr) == (0, "")
    assert machine.calls("apt-get", "dpkg", "dockerd", "systemctl") == []


def test_a_bare_debian_12_gets_the_engine_and_the_next_releases_compose(
    machine: DockerMachine,
) -> None:
    done = machine.run("engine")

    assert done.returncode == 0, done.stderr
    assert "ready: engine 20.10.24, compose 2.26.1-4" in done.stderr
    assert installed(machine.calls("apt-get")) == ["docker.io", "iptables", "ca-certificates"]
    assert machine.calls("apt-get")[-1].endswith("download docker-compose docker-buildx")
    assert [call.count(".deb") for call in machine.calls("dpkg")] == [2]
    assert list(machine.temporary.iterdir()) == []


def test_a_second_run_does_nothing_more(machine: DockerMachine) -> None:
    machine.run("engine")
    before = machine.calls("apt-get", "dpkg", "dockerd")

    done = machine.run("engine")

    assert (done.returncode, done.stderr) == (0, "")
    assert machine.calls("apt-get", "dpkg", "dockerd") == before


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        pytest.param("docker-compose-v2", ["docker-compose-v2", "docker-buildx"], id="Ubuntu"),
        pytest.param(
            "docker-buildx", ["docker-cli", "docker-compose", "docker-buildx"], id="Debian 13"
        ),
    ],
)
def test_compose_comes_from_the_machines_own_archive_where_that_has_it(
    machine: DockerMachine, package: str, expected: list[str]
) -> None:
    machine.program("apt-cache", f'[[ "$*" == "show {package}" ]]')
    machine.install(compose="1.29.2")
    machine.write("run/answers")

    done = machine.run("engine")

    assert done.returncode == 0, done.stderr
    assert installed(machine.calls("apt-get")) == expected
    assert machine.calls("dpkg", "dockerd") == []


def test_compose_without_buildx_is_not_enough(machine: DockerMachine) -> None:
    machine.install()
    machine.write("run/answers")
    (machine.root / "run/buildx").unlink()

    done = machine.run("engine")

    assert done.returncode == 0, done.stderr
    assert "installing Compose v2 and buildx" in done.stderr


@pytest.mark.parametrize(
    ("release", "user"),
    [
        pytest.param("ID=fedora\n", "0", id="neither Debian nor Ubuntu"),
        pytest.param("ID=debian\n", "1000", id="not root"),
    ],
)
def test_where_nothing_can_be_installed_it_says_what_to_do(
    machine: DockerMachine, release: str, user: str
) -> None:
    machine.write("etc/os-release", release)
    machine.program("id", f"echo {user}")

    done = machine.run("engine")

    assert done.returncode == 1
    assert "Install Docker for this system (or start it, or run this as root)" in done.stderr
    assert machine.calls("apt-get", "dockerd") == []


def test_an_installation_that_fails_ends_it_with_apts_own_message(machine: DockerMachine) -> None:
    machine.program("apt-get", "echo 'E: Failed to fetch' >&2; exit 100")

    done = machine.run("engine")

    assert done.returncode != 0
    assert "E: Failed to fetch" in done.stderr
    assert "ready" not in done.stderr
