"""scripts/apt-sources, on machines with one or the other kind of apt sources."""

from pathlib import Path

import pytest

from tests.unit.machine import Machine

ONE_LINE = """\
# deb http://ignored.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/security bookworm-security main
deb-src http://source.example/debian bookworm main
deb https://vendor.example/apt vendor-bookworm main
deb https://vendor.example/engine bookworm stable
deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.example/tools bookworm main
"""
DEB822 = """\
# a comment
Types: deb deb-src
# another
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp

Types: deb
URIs: https://vendor.example/apt
Suites: nodistro
Components: main

Types: deb
URIs: https://vendor.example/engine
Suites: bookworm
Components: stable

Types: deb
URIs: https://vendor.example/tools
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: https://disabled.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: https://source.example/debian
Suites: bookworm
Components: main
"""
TWO_MIRRORS = """\
Types: deb
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm
Components: contrib main
"""
CLOUD = """\
Types: deb
URIs: mirror+file:///etc/apt/mirrors/debian.list
Suites: bookworm
Components: main
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian 12 without any source."""
    made = Machine(tmp_path)
    made.write("etc/apt/mirrors/debian.list", "# a comment\nhttps://cloud.example/debian\n")
    return made


def pairs(output: str) -> list[tuple[str, str]]:
    """Return the address and suite of each stanza that was printed."""
    lines = output.splitlines()
    uris = [line.removeprefix("URIs: ") for line in lines if line.startswith("URIs: ")]
    suites = [line.removeprefix("Suites: ") for line in lines if line.startswith("Suites: ")]
    return list(zip(uris, suites, strict=True))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param(
            "sources.list",
            ONE_LINE,
            [
                ("http://mirror.example/debian", "trixie"),
                ("http://mirror.example/security", "trixie-security"),
            ],
            id="one line a source",
        ),
        pytest.param(
            "sources.list.d/debian.sources",
            DEB822,
            [
                ("http://mirror.example/debian", "trixie"),
                ("http://mirror.example/debian", "trixie-updates"),
            ],
            id="deb822",
        ),
        pytest.param(
            "sources.list.d/debian.sources",
            TWO_MIRRORS,
            [("http://one.example/debian", "trixie"), ("http://two.example/debian", "trixie")],
            id="two mirrors in one stanza",
        ),
        pytest.param(
            "sources.list.d/debian.sources",
            CLOUD,
            [("https://cloud.example/debian", "trixie")],
            id="a cloud image's list of mirrors",
        ),
    ],
)
def test_the_machines_mirrors_are_kept_and_the_release_changes(
    machine: Machine, name: str, text: str, expected: list[tuple[str, str]]
) -> None:
    machine.write(f"etc/apt/{name}", text)

    done = machine.run("apt-sources", "trixie")

    assert pairs(done.stdout) == expected


def test_it_says_so_where_there_is_no_mirror(machine: Machine) -> None:
    done = machine.run("apt-sources", "trixie")

    assert done.returncode == 1
    assert "no Debian mirror is named" in done.stderr


def test_those_of_another_distribution_are_not_debians(machine: Machine) -> None:
    machine.write("etc/apt/sources.list", ONE_LINE)
    machine.write("etc/os-release", "ID=ubuntu\nVERSION_CODENAME=bookworm\n")

    assert machine.run("apt-sources", "trixie").returncode == 1


def test_a_release_must_be_named(machine: Machine) -> None:
    done = machine.run("apt-sources")

    assert done.returncode != 0
    assert "usage: apt-sources SUITE" in done.stderr
