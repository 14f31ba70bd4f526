"""scripts/base-image, on machines whose Docker and debootstrap are a few lines of shell."""

from pathlib import Path

import pytest

from tests.unit.machine import Machine, installed

NAME = "debian:trixie-slim"
# This Docker's registry and store are files: registry (it can pull), store (it has the image).
DOCKER = """
case "$1 $2" in
    "compose config") printf 'services:\\n  web:\\n    args:\\n      BASE_IMAGE: %s\\n' "$(cat "$ROOT/base")" ;;
    "image inspect") [[ -e $ROOT/store ]] ;;
    "pull "*) [[ -e $ROOT/registry ]] || { echo "Error: no such host" >&2; exit 1; } ;;
    "import "*) tar --list >"$ROOT/imported" ;;
esac
"""
DEBOOTSTRAP = """
folder=${*: -1}
mkdir -p "$folder"/etc/{apt/sources.list.d,apt/apt.conf.d,dpkg/dpkg.cfg.d} \
    "$folder"/usr/{sbin,local/share/ca-certificates}
"""
KEYRING = "usr/share/keyrings/debian-archive-keyring.gpg"
AUTHORITY = "usr/local/share/ca-certificates/site.crt"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian 12 with Docker and debootstrap, without a registry or the image."""
    made = Machine(tmp_path)
    made.write("base", NAME)
    made.write("etc/apt/sources.list", "deb http://mirror.example/debian bookworm main\n")
    made.write(KEYRING)
    for name, body in {"docker": DOCKER, "debootstrap": DEBOOTSTRAP}.items():
        made.program(name, body)
    for name in ("apt-get", "chroot"):
        made.program(name)
    return made


def done_by(machine: Machine) -> list[str]:
    """Return which of Docker's and debootstrap's verbs made the image."""
    calls = machine.calls("docker", "debootstrap")
    verbs = ("docker pull", "debootstrap", "docker import")
    return [verb for verb in verbs if any(call.startswith(verb) for call in calls)]


def test_the_local_image_is_taken_without_a_word(machine: Machine) -> None:
    machine.write("store")

    done = machine.run("base-image")

    assert (done.returncode, done.stderr) == (0, "")
    assert done_by(machine) == []


def test_an_image_that_can_be_pulled_is_pulled(machine: Machine) -> None:
    machine.write("registry")

    done = machine.run("base-image")

    assert done.returncode == 0, done.stderr
    assert f"pulled {NAME}" in done.stderr
    assert done_by(machine) == ["docker pull"]


def test_without_a_registry_it_is_built_under_the_same_name(machine: Machine) -> None:
    done = machine.run("base-image")

    assert done.returncode == 0, done.stderr
    assert done_by(machine) == ["docker pull", "debootstrap", "docker import"]
    assert machine.calls("docker")[-1].endswith(f"- {NAME}")
    assert machine.calls("apt-get", "chroot") == []
    assert list(machine.temporary.iterdir()) == []


def test_what_is_built_keeps_the_machines_mirror_and_signature_checks(machine: Machine) -> None:
    machine.run("base-image")

    imported = (machine.root / "imported").read_text(encoding="utf-8").splitlines()
    assert "./etc/apt/sources.list.d/debian.sources" in imported
    assert "--force-check-gpg" in machine.calls("debootstrap")[0]


def test_with_authorities_of_the_machine_it_is_built_with_them_and_not_pulled(
    machine: Machine,
) -> None:
    machine.write("registry")
    machine.write(AUTHORITY)

    done = machine.run("base-image")

    assert done.returncode == 0, done.stderr
    assert done_by(machine) == ["debootstrap", "docker import"]
    assert [call.endswith("update-ca-certificates") for call in machine.calls("chroot")] == [True]
    assert f"./{AUTHORITY}" in (machine.root / "imported").read_text(encoding="utf-8").splitlines()


def test_a_developer_with_authorities_who_cannot_build_pulls(machine: Machine) -> None:
    machine.write("registry")
    machine.write(AUTHORITY)
    machine.program("id", "echo 1000")

    done = machine.run("base-image")

    assert done.returncode == 0, done.stderr
    assert done_by(machine) == ["docker pull"]


def test_where_it_can_neither_be_pulled_nor_built_it_says_why_and_what_to_do(
    machine: Machine,
) -> None:
    machine.program("id", "echo 1000")

    done = machine.run("base-image")

    assert done.returncode == 1
    assert f"{NAME} can't be pulled: Error: no such host" in done.stderr
    assert "docker load" in done.stderr
    assert machine.calls("apt-get", "debootstrap") == []


@pytest.mark.parametrize(
    ("name", "built"),
    [
        pytest.param("mirror.example/debian:trixie", True, id="Debian from a mirror"),
        pytest.param("site.example/hardened:3", False, id="a site's own"),
        pytest.param("debian:bookworm-slim", False, id="another release"),
    ],
)
def test_only_debians_own_image_is_imitated(machine: Machine, name: str, *, built: bool) -> None:
    machine.write("base", name)

    done = machine.run("base-image")

    assert done.returncode == (0 if built else 1)
    assert ("debootstrap" in done_by(machine)) == built


def test_the_name_is_the_one_that_compose_builds_on(machine: Machine) -> None:
    machine.write("base", "site.example/hardened:3")
    machine.write("registry")

    done = machine.run("base-image")

    assert done.returncode == 0, done.stderr
    assert machine.calls("docker")[-1] == "docker pull --quiet site.example/hardened:3"


@pytest.mark.parametrize("missing", ["debootstrap", "keyring"])
def test_debootstrap_and_debians_keys_are_installed_where_one_is_missing(
    machine: Machine, missing: str
) -> None:
    if missing == "keyring":
        (machine.root / KEYRING).unlink()
    else:
        machine.path("debootstrap").rename(machine.path("to-be"))
    machine.program("apt-get", '[[ ! -e $BIN/to-be ]] || cp "$BIN/to-be" "$BIN/debootstrap"')

    done = machine.run("base-image")

    assert done.returncode == 0, done.stderr
    assert "built" in done.stderr
    assert machine.calls("apt-get")[0] == "apt-get update -qq"
    assert installed(machine.calls("apt-get")) == ["debootstrap", "debian-archive-keyring"]


def test_a_build_that_fails_shows_its_end_and_imports_nothing(machine: Machine) -> None:
    machine.program("debootstrap", "echo 'E: Failed getting release file'; exit 1")

    done = machine.run("base-image")

    assert done.returncode == 1
    assert "E: Failed getting release file" in done.stderr
    assert "debootstrap failed; its whole log is " in done.stderr
    assert done_by(machine) == ["docker pull", "debootstrap"]


def test_a_wrong_compose_file_is_reported_by_compose_itself(machine: Machine) -> None:
    machine.program("docker", "echo 'yaml: line 3' >&2; exit 15")

    done = machine.run("base-image")

    assert done.returncode != 0
    assert "yaml: line 3" in done.stderr
    assert machine.calls("docker") == ["docker compose config"]
