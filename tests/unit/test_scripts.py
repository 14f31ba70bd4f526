"""The scripts that prepare a machine, as far as they can be tried without changing this one."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

ONE_LINE = """\
# deb http://ignored.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib
deb [signed-by=/x.gpg] http://mirror.example/security bookworm-security main
deb https://vendor.example/apt vendor-bookworm main
"""
DEB822 = """\
Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: https://vendor.example/apt
Suites: nodistro
Components: main
"""


def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    given = {**os.environ, **environment}
    return subprocess.run(words, cwd=ROOT, env=given, capture_output=True, text=True, check=False)


def apt_sources(folder: Path, system: str = "debian") -> "subprocess.CompletedProcess[str]":
    release = folder / "os-release"
    release.write_text(f"ID={system}\nVERSION_CODENAME=bookworm\n", encoding="utf-8")
    return run("scripts/apt-sources", "trixie", str(folder), OS_RELEASE=str(release))


def pairs(output: str) -> list[tuple[str, str]]:
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
    ],
)
def test_apt_sources_keep_the_machines_mirrors_and_change_the_release(
    name: str, text: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text, encoding="utf-8")

    done = apt_sources(tmp_path)

    assert pairs(done.stdout) == expected


def test_apt_sources_say_so_where_there_is_no_mirror(tmp_path: Path) -> None:
    done = apt_sources(tmp_path)

    assert done.returncode == 1
    assert "no Debian mirror is named" in done.stderr


def test_apt_sources_of_another_distribution_are_not_debians(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(ONE_LINE, encoding="utf-8")

    assert apt_sources(tmp_path, system="ubuntu").returncode == 1


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
