"""What is wrong with a target is found before anything is sent there, in seconds, and said so that it can be mended."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.authority import Authority, new_authority
from tests.integration.postgres import Database
from tests.integration.repositories import SMALL, Repositories, worker_of
from tests.integration.storage import Storage, authority_of, ssh_key, storage, targets

SECONDS = 20  # the image's Python takes two of them to start here
CHECK = "preflight.check(second)"


@pytest.fixture(scope="module")
def worker(database: Database) -> Iterator[Any]:
    with worker_of(database) as container:
        yield container


@pytest.fixture(scope="module")
def sftp(database: Database) -> Iterator[Storage]:
    with storage(database, "sftp") as server:
        yield server


@pytest.fixture(scope="module")
def rest(database: Database) -> Iterator[Storage]:
    with storage(database, "rest") as server:
        yield server


@contextmanager
def soon() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SECONDS


def refusal(worker: Any, server: Storage, **other: str) -> str:
    """Return why a preflight refuses the server, told otherwise than it should be."""
    repositories = Repositories(worker, targets(server) | other)
    with soon():
        kind, message = repositories.refused(CHECK)
    assert kind == "TargetError"
    assert message.startswith(f"target {server.kind.partition('-')[0]}: test-")
    return message


def with_certificate(
    database: Database, worker: Any, certificate: tuple[bytes, bytes], kind: Any = "rest"
) -> str:
    with storage(database, kind, f"test-tls-{kind}", certificate=certificate) as server:
        return refusal(worker, server)


@pytest.mark.parametrize("kind", ["rest", "s3"])
def test_a_certificate_of_an_unknown_authority_is_refused(
    database: Database, worker: Any, kind: Any
) -> None:
    stranger = Authority(*new_authority())

    message = with_certificate(database, worker, stranger.signed(f"test-tls-{kind}"), kind)

    assert "from an authority that we do not know; put that into BACKUP_CA_FILE" in message


def test_an_expired_certificate_is_refused(database: Database, worker: Any) -> None:
    expired = authority_of(database).signed("test-tls-rest", -timedelta(hours=1))

    assert "its certificate has expired" in with_certificate(database, worker, expired)


def test_the_certificate_of_another_host_is_refused(database: Database, worker: Any) -> None:
    other = authority_of(database).signed("other.example")

    assert "its certificate is for another host" in with_certificate(database, worker, other)


def test_a_server_without_tls_is_refused(worker: Any, sftp: Storage) -> None:
    plain = {"BACKUP_TARGETS": "local, rest:https://test-sftp:2222/"}
    repositories = Repositories(worker, plain)

    with soon():
        kind, message = repositories.refused(CHECK)

    assert sftp.kind == "sftp"
    assert kind == "TargetError"
    assert "it does not speak TLS as we do" in message


def test_a_wrong_rest_password_is_refused(worker: Any, rest: Storage) -> None:
    message = refusal(worker, rest, BACKUP_REST_PASSWORD="wrong")

    assert "it refuses our login (401)" in message


def test_a_wrong_host_key_is_refused_at_once(worker: Any, sftp: Storage) -> None:
    hosts = f"[test-sftp]:2222 {ssh_key()[1]}\n"

    message = refusal(worker, sftp, BACKUP_SFTP_KNOWN_HOSTS=hosts)

    assert "it shows another host key than BACKUP_SFTP_KNOWN_HOSTS has" in message


def test_an_unknown_host_key_is_not_learnt(worker: Any, sftp: Storage) -> None:
    hosts = f"[elsewhere]:2222 {ssh_key()[1]}\n"

    message = refusal(worker, sftp, BACKUP_SFTP_KNOWN_HOSTS=hosts)

    assert "its host key is not in BACKUP_SFTP_KNOWN_HOSTS" in message


def test_a_key_that_the_server_does_not_know_is_a_refused_login(worker: Any, sftp: Storage) -> None:
    message = refusal(worker, sftp, BACKUP_SFTP_KEY=ssh_key()[0].decode())

    assert "it refuses our login; is the public half of BACKUP_SFTP_KEY" in message


def test_what_is_no_key_is_told_from_a_refused_login(worker: Any, sftp: Storage) -> None:
    message = refusal(worker, sftp, BACKUP_SFTP_KEY="not a key")

    assert "BACKUP_SFTP_KEY is no private key" in message


def test_an_s3_server_that_refuses_our_login_is_not_tried_for_a_quarter_of_an_hour(
    database: Database, worker: Any
) -> None:
    with storage(database, "s3", "test-strict", refuses=True) as server:
        repositories = Repositories(worker, targets(server))
        began = time.monotonic()

        kind, message = repositories.refused("ready(second)")

    assert kind == "TargetError"
    assert "is BACKUP_S3_SECRET_ACCESS_KEY right" in message
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("entry", ["rest:https://test-nobody:8000/", "sftp://a@test-nobody:22/b"])
def test_a_name_that_nobody_has_is_told(worker: Any, sftp: Storage, entry: str) -> None:
    repositories = Repositories(worker, {**sftp.environment, "BACKUP_TARGETS": f"local, {entry}"})

    with soon():
        assert "its name is not known" in repositories.refused(CHECK)[1]


@pytest.mark.parametrize("entry", ["rest:https://test-rest:1/", "s3:https://test-rest:1/bucket"])
def test_a_port_where_nobody_listens_is_told(worker: Any, rest: Storage, entry: str) -> None:
    account = {"BACKUP_S3_ACCESS_KEY_ID": "a", "BACKUP_S3_SECRET_ACCESS_KEY": "b"}
    told = {**rest.environment, **account, "BACKUP_TARGETS": f"local, {entry}"}

    with soon():
        message = Repositories(worker, told).refused(CHECK)[1]

    assert "test-rest:1: it can't be reached (Connection refused)" in message


def test_a_server_that_hangs_is_waited_for_ten_seconds(worker: Any, rest: Storage) -> None:
    rest.pause()
    try:
        assert "did not answer within 10 s" in refusal(worker, rest)
    finally:
        rest.unpause()


def test_a_server_that_is_well_is_found_well_and_nothing_is_made_there(
    worker: Any, sftp: Storage, rest: Storage
) -> None:
    for server in (sftp, rest):
        repositories = Repositories(worker, targets(server))
        before = server.run("find", "/vault")
        repositories.told("for repository in repositories: preflight.check(repository)")
        assert server.run("find", "/vault") == before
    assert repositories.sh(f"ls -A {repositories.folder}") == ""


def test_local_room_is_looked_at_before(worker: Any) -> None:
    repositories = Repositories(worker, {}, folder=SMALL)

    kind, message = repositories.refused(CHECK)

    assert kind == "FullError"
    assert "MB are free at /small/repository, and 67 MB are needed" in message


def test_the_room_at_an_sftp_server_is_looked_at_before(database: Database, worker: Any) -> None:
    with storage(database, "sftp", "test-small", tmpfs="70m") as server:
        repositories = Repositories(worker, targets(server))

        repositories.told("preflight.check(second, room=68 * 1000**2)")
        kind, message = repositories.refused("preflight.check(second, room=80 * 1000**2)")

    assert kind == "FullError"
    assert "MB are free at sftp://vault@test-small:2222/data, and 80 MB are needed" in message


def test_a_folder_that_is_not_ours_is_told(worker: Any) -> None:
    repositories = Repositories(worker, {})
    repositories.environment["BACKUP_FOLDER"] = "/var/lib/other"

    assert "user 10003 may not write to /var/lib" in repositories.refused(CHECK)[1]


def test_the_verb_tells_what_lies_at_each_target_and_which_is_away(
    worker: Any, sftp: Storage
) -> None:
    repositories = Repositories(worker, targets(sftp))
    repositories.environment["BACKUP_TARGETS"] += ", rest:https://test-nobody:8000/"
    repositories.told("ready(first)\nfirst.save_output(text('a'), 'a', ['run:1'], {})")

    code, (local, empty, away) = repositories.verb("targets")

    assert code == 69
    assert (local["name"], local["trouble"], local["snapshots"]) == ("local", None, 1)
    assert local["bytes"] > 500
    assert (empty["name"], empty["trouble"], empty["snapshots"]) == ("sftp", None, 0)
    assert "vault@" not in empty["location"]
    assert (away["name"], away["snapshots"], away["bytes"]) == ("rest", None, None)
    assert "its name is not known" in away["trouble"]


def test_the_verb_misses_a_backup_that_restic_can_not_miss(worker: Any) -> None:
    repositories = Repositories(worker, {})
    lines = """
from datetime import datetime, timezone
from backup.catalogue.manifest import Copy, Fingerprint, Manifest, Origin
ready(first)
saved = first.save_output(text("a"), "keelson.dump", ["run:20261123-030000"], {})
now = datetime.now(timezone.utc)
folder.save(Manifest(
    id="20261123-030000", state="stored", started_at=now, finished_at=now, bytes=1, bytes_stored=1, steps={},
    copies={"local": Copy(snapshot=saved.snapshot, stored_at=now)},
    origin=Origin(database="keelson", server_version="17", roles=[], grants=[]),
    fingerprint=Fingerprint(tables={}, sequences={}),
))
"""
    repositories.told(lines)
    assert repositories.verb("targets")[0] == 0

    repositories.sh(f"rm -f {repositories.folder}/repository/snapshots/*")
    code, (local,) = repositories.verb("targets")

    assert (code, local["missing"]) == (65, ["20261123-030000"])
    assert repositories.told("first.check('1/1')") is None  # restic finds nothing wrong
