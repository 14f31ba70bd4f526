import multiprocessing
from pathlib import Path

import pytest

from backup.catalogue.folder import Folder
from backup.errors import BusyError
from backup.repository import locks, targets
from backup.settings import Settings
from common.settings import ConfigError

URL = "postgresql://keelson_backup:s3cret@db/keelson?sslmode=verify-full"
SFTP = "sftp://backup@vault.example:2222/keelson"
REST = "rest:https://vault.example:8000/keelson/"
S3 = "s3:https://s3.example/keelson"


def problems(**given: object) -> list[str]:
    """Return what is wrong with these settings, by the names of the lines."""
    with pytest.raises(ConfigError) as raised:
        Settings.read(database_url=URL, backup_repository_key="k", **given)
    return str(raised.value).splitlines()


def test_targets_keep_their_order_and_a_second_one_of_a_kind_gets_a_number() -> None:
    found = targets.parse(f"local, {SFTP} {REST},{S3}, rest:https://other.example/", "/b")

    assert [target.name for target in found] == ["local", "sftp", "rest", "s3", "rest-2"]
    assert [target.off_site for target in found] == [False, True, True, True, True]
    assert found[0].location == "/b/repository"


@pytest.mark.parametrize(
    ("entry", "port"),
    [(SFTP, 2222), ("sftp://u@h/f", 22), (REST, 8000), (S3, 443)],
)
def test_the_port_is_the_given_one_or_the_kinds(entry: str, port: int) -> None:
    assert targets.parse(entry, "")[0].port == port


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        pytest.param("", "no target", id="none"),
        pytest.param("ftp://host/folder", "not a kind of target", id="unknown kind"),
        pytest.param("rest:http://host/", "over https alone", id="rest without TLS"),
        pytest.param("s3:http://host/bucket", "over https alone", id="s3 without TLS"),
        pytest.param("rest:https://u:p@host/", "account of rest does not belong", id="password"),
        pytest.param("sftp://host/folder", "incomplete", id="sftp without a user"),
        pytest.param("sftp://user@host", "incomplete", id="sftp without a folder"),
        pytest.param("s3:https://host/", "incomplete", id="s3 without a bucket"),
        pytest.param("rest:https://host:port/", "Port", id="a port that is no number"),
        pytest.param("local local", "twice", id="the same twice"),
    ],
)
def test_what_is_no_target_is_refused_with_what_to_write(entry: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        targets.parse(entry, "")


def test_a_target_that_lacks_what_lets_us_in_is_told_with_all_others() -> None:
    lines = problems(backup_targets=f"{SFTP} {S3}", backup_rest_username="only")

    assert [line.partition(":")[0] for line in lines] == [
        "BACKUP_SFTP_KEY",
        "BACKUP_SFTP_KNOWN_HOSTS",
        "BACKUP_S3_ACCESS_KEY_ID",
        "BACKUP_S3_SECRET_ACCESS_KEY",
        "BACKUP_REST_USERNAME, BACKUP_REST_PASSWORD",
    ]


def test_an_authority_that_is_not_there_is_told_where_a_target_needs_it() -> None:
    (line,) = problems(backup_targets=REST, backup_ca_file="/no/such.crt")

    assert line.startswith("BACKUP_CA_FILE: /no/such.crt can't be read")


def test_a_local_target_needs_nothing() -> None:
    Settings.read(database_url=URL, backup_repository_key="k", backup_ca_file="/no/such.crt")


def test_no_secret_is_in_what_a_target_shows_of_itself() -> None:
    target = targets.Target("s3", "s3", S3, {"AWS_SECRET_ACCESS_KEY": "s3cret"})

    assert "s3cret" not in repr(target)


def hold(path: Path, *, alone: bool, ready: object, done: object) -> None:
    """Be another process that has a repository."""
    lock = locks.exclusive if alone else locks.shared
    with lock(Folder(path), "local"):
        ready.set()  # type: ignore[attr-defined]
        done.wait(30)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("theirs_alone", "ours_alone", "busy"),
    [
        pytest.param(False, False, False, id="two share it"),
        pytest.param(False, True, True, id="nobody has it alone while another uses it"),
        pytest.param(True, False, True, id="nobody uses it while another has it alone"),
        pytest.param(True, True, True, id="two never have it alone"),
    ],
)
def test_a_repository_is_shared_or_somebodys_alone(
    tmp_path: Path, theirs_alone: bool, ours_alone: bool, busy: bool
) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    told = {"alone": theirs_alone, "ready": ready, "done": done}
    other = context.Process(target=hold, args=(tmp_path,), kwargs=told)
    other.start()
    assert ready.wait(30)
    lock = locks.exclusive if ours_alone else locks.shared
    refused = False
    try:
        with lock(Folder(tmp_path), "local", wait_seconds=0):
            pass
    except BusyError as error:
        refused = "another run is at work in it" in str(error)
    done.set()
    other.join()

    assert refused == busy


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    told = {"alone": True, "ready": ready, "done": done}
    other = context.Process(target=hold, args=(tmp_path,), kwargs=told)
    other.start()
    assert ready.wait(30)
    other.kill()
    other.join()

    with locks.exclusive(Folder(tmp_path), "local", wait_seconds=0):
        pass
