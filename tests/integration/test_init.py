"""init: what it makes, what it keeps, and what it warns of."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.images import image
from tests.stack.smtp.certificates import make_certificate

FOLDERS = ("authority", "ca", "db", "edge", "valkey", "owner", "web", "mailer", "backup")


@pytest.fixture
def volumes() -> Iterator[list[str]]:
    """Volumes of the test's own, as docker's arguments."""
    prefix = f"keelson-test-{uuid4().hex[:8]}"
    names = {folder: f"{prefix}-{folder}" for folder in FOLDERS}
    yield [f"--volume={name}:/run/keelson/{folder}" for folder, name in names.items()]
    subprocess.run(["docker", "volume", "rm", *names.values()], check=True, capture_output=True)


def init(
    volumes: list[str], *words: str, given: str = "", **environment: str
) -> "subprocess.CompletedProcess[str]":
    set_here = [f"--env={name}={value}" for name, value in environment.items()]
    command = ["docker", "run", "--rm", "--interactive", "--read-only", "--tmpfs=/tmp"]
    command += ["--cap-drop=ALL", *volumes, *set_here, image("init"), *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def checksums(volumes: list[str]) -> str:
    listed = "find /run/keelson -type f -exec sha256sum {} + | sort"
    return init(volumes, "bash", "-c", listed).stdout


def test_a_second_run_makes_nothing_and_overwrites_nothing(volumes: list[str]) -> None:
    first = init(volumes)
    before = checksums(volumes)
    second = init(volumes)

    assert first.returncode == second.returncode == 0
    assert len(before.splitlines()) == 21
    assert checksums(volumes) == before
    assert second.stderr == ""


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("db", "db"),
        ("db", "localhost"),
        ("edge", "localhost"),
        ("edge", "edge"),
        ("valkey", "valkey"),
    ],
)
def test_certificates_are_for_the_names_that_clients_use(
    volumes: list[str], part: str, name: str
) -> None:
    init(volumes)

    verify = (
        f"openssl verify -CAfile /run/keelson/ca/ca.crt -purpose sslserver -verify_hostname {name}"
    )
    done = init(volumes, "bash", "-c", f"{verify} /run/keelson/{part}/tls.crt")

    assert done.returncode == 0, done.stderr
    wrong = verify.replace(name, "elsewhere.example")
    assert init(volumes, "bash", "-c", f"{wrong} /run/keelson/{part}/tls.crt").returncode != 0


def test_the_edges_certificate_is_for_the_sites_own_name_too(volumes: list[str]) -> None:
    init(volumes, BASE_URL="https://status.example.org:8443/")

    shown = init(
        volumes,
        "openssl",
        "x509",
        "-in",
        "/run/keelson/edge/tls.crt",
        "-noout",
        "-ext",
        "subjectAltName",
    )

    assert "DNS:status.example.org" in shown.stdout


def test_a_site_that_got_its_name_later_gets_a_certificate_for_it(volumes: list[str]) -> None:
    init(volumes)
    named = init(volumes, BASE_URL="https://status.example.org")
    again = init(volumes, BASE_URL="https://status.example.org")

    assert "edge: the certificate is from another authority, or for other names" in named.stderr
    assert "made the certificate of db" not in named.stderr
    assert again.stderr == ""


def test_it_warns_of_certificates_that_end_within_30_days(volumes: list[str]) -> None:
    first = init(volumes, CERTIFICATE_DAYS="29")
    again = init(volumes)

    for done in (first, again):
        assert done.returncode == 0
        assert "WARNING: /run/keelson/db/tls.crt ends " in done.stderr
        assert "WARNING: /run/keelson/edge/tls.crt ends " in done.stderr
        assert "WARNING: /run/keelson/ca/ca.crt" not in done.stderr


def test_a_certificate_that_was_removed_is_made_anew_and_the_rest_stays(volumes: list[str]) -> None:
    init(volumes, CERTIFICATE_DAYS="29")
    init(volumes, "rm", "/run/keelson/db/tls.crt")
    before = set(checksums(volumes).splitlines())

    done = init(volumes)

    assert "made the certificate of db" in done.stderr
    assert "WARNING: /run/keelson/db/tls.crt" not in done.stderr
    changed = set(checksums(volumes).splitlines()) ^ before
    assert {line.split()[1] for line in changed} == {
        "/run/keelson/db/tls.crt",
        "/run/keelson/db/tls.key",
    }


def test_a_run_that_was_killed_between_two_files_is_finished_by_the_next(
    volumes: list[str],
) -> None:
    init(volumes)
    init(volumes, "bash", "-c", "cd /run/keelson && rm -f authority/ca.crt web/database_url")

    done = init(volumes)

    assert done.returncode == 0
    assert "made a new certificate authority" in done.stderr
    verify = "openssl verify -CAfile /run/keelson/ca/ca.crt /run/keelson/db/tls.crt"
    assert init(volumes, "bash", "-c", verify).returncode == 0


def test_valkeys_password_is_in_the_address_that_web_reads(volumes: list[str]) -> None:
    def read(*command: str) -> str:
        return init(volumes, *command).stdout.strip()

    init(volumes)
    before = read("cat", "/run/keelson/valkey/web.password")
    init(volumes, "rm", "/run/keelson/valkey/web.password")

    done = init(volumes)

    password = read("cat", "/run/keelson/valkey/web.password")
    address = read("cat", "/run/keelson/web/valkey_url")
    assert "web: its valkey_url does not match the password" in done.stderr
    assert password != before
    assert address == (
        f"valkeys://web:{password}@valkey:6379/0?ssl_ca_certs=/run/keelson/ca/ca.crt"
    )
    assert read("stat", "-c", "%a %g", "/run/keelson/valkey/web.password") == "440 10007"
    assert read("stat", "-c", "%a %g", "/run/keelson/web/valkey_url") == "440 10001"


def test_a_secret_is_put_where_its_service_reads_it(volumes: list[str]) -> None:
    first = init(volumes, "init", "put", "mail_password", given="swordfish")
    second = init(volumes, "init", "put", "mail_password", given="changed")

    listed = init(
        volumes,
        "bash",
        "-c",
        "cd /run/keelson/mailer && cat mail_password && stat -c ' %a %g' mail_password",
    )
    assert first.returncode == second.returncode == 0
    assert "swordfish" not in first.stderr + first.stdout
    assert listed.stdout.strip() == "changed 440 10002"


@pytest.mark.parametrize(
    ("part", "name", "group"), [("mailer", "mail_ca", 10002), ("backup", "backup_ca", 10003)]
)
def test_a_private_authority_is_put_where_its_service_reads_it(
    volumes: list[str], tmp_path: Path, part: str, name: str, group: int
) -> None:
    pem = make_certificate(tmp_path, "relay.example").authority.read_text(encoding="ascii")
    bundle = f"# ours\n{pem}{pem}"

    done = init(volumes, "init", "put", name, given=bundle)

    assert done.returncode == 0, done.stderr
    shown = f"cd /run/keelson/{part} && stat -c '%a %g' {name} && cat {name}"
    assert init(volumes, "bash", "-c", shown).stdout == f"440 {group}\n{bundle}"


@pytest.mark.parametrize("wrong", ["key", "certificate and key", "words", "half"])
def test_what_is_no_authority_is_refused_and_the_old_one_stays(
    volumes: list[str], tmp_path: Path, wrong: str
) -> None:
    made = make_certificate(tmp_path, "relay.example")
    pem = made.authority.read_text(encoding="ascii")
    key = made.key.read_text(encoding="ascii")
    init(volumes, "init", "put", "mail_ca", given=pem)

    given = {"key": key, "certificate and key": pem + key, "words": "swordfish", "half": pem[:300]}
    done = init(volumes, "init", "put", "mail_ca", given=given[wrong])

    assert done.returncode != 0
    assert "mail_ca: certificates alone are wanted, as PEM" in done.stderr
    listed = "cd /run/keelson/mailer && ls -A && cat mail_ca"
    assert init(volumes, "bash", "-c", listed).stdout == f"mail_ca\n{pem}"


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        pytest.param("colour", "x", "no secret is called 'colour'", id="unknown"),
        pytest.param("mail", "x", "no secret is called 'mail'", id="half a name"),
        pytest.param("mail_password mail_ca", "x", "no secret is called", id="two names"),
        pytest.param("mail_password", "", "nothing to write", id="empty"),
    ],
)
def test_a_secret_that_cannot_be_kept_is_refused(
    volumes: list[str], name: str, given: str, said: str
) -> None:
    init(volumes, "init", "put", "mail_password", given="kept")

    done = init(volumes, "init", "put", name, given=given)

    assert done.returncode != 0
    assert said in done.stderr
    assert init(volumes, "cat", "/run/keelson/mailer/mail_password").stdout == "kept"
