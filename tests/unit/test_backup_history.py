"""The history on the volume, by the real git."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backup.catalogue.folder import Folder
from backup.errors import BackupError
from backup.history import commits, history, packing, reading
from backup.history.git import Git
from tests.backup_manifests import NOON, a_manifest, some_settings

ONE = "CREATE TABLE people (id int);\n"
TWO = "CREATE TABLE people (id int, name text);\n"
DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def plain_git(folder: Folder, *arguments: str) -> str:
    command = ["git", "-C", str(folder.history), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_backup_is_a_commit_of_its_own_time(folder: Folder) -> None:
    history.add(folder, ONE, a_manifest(), some_settings())

    told = plain_git(folder, "log", "--format=%an|%ae|%aI|%cI|%s", "main")
    said = "proven 20261122-120000: the schema changed, 1 tables, 3 rows"
    when = "2026-11-22T12:00:00+00:00"
    assert told == f"Keelson backup|backup@keelson.invalid|{when}|{when}|{said}\n"
    assert plain_git(folder, "show", "main:schema.sql") == ONE


def test_the_manifest_in_it_names_no_role_and_no_content(folder: Folder) -> None:
    history.add(folder, ONE, a_manifest(), some_settings())

    told = plain_git(folder, "show", "main:backups/20261122-120000.json")

    assert '"public.people": 3' in told
    assert '"sftp": "2026-11-22T12:00:00+00:00"' in told
    for hidden in ("ada_the_dba", "4711", "815", "5nap5h0t"):
        assert hidden not in told


def test_the_same_again_makes_no_commit(folder: Folder) -> None:
    assert history.add(folder, ONE, a_manifest(), some_settings()) is not None
    assert history.add(folder, ONE, a_manifest(), some_settings()) is None


def test_two_histories_of_the_same_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    ids = {
        history.add(Folder(tmp_path / name), ONE, a_manifest(), some_settings())
        for name in ("one", "two")
    }

    assert len(ids) == 1


def two_schemas(folder: Folder) -> None:
    for day, schema in enumerate([ONE, ONE, TWO, TWO]):
        history.add(folder, schema, a_manifest(NOON + day * DAY), some_settings())


def test_the_log_has_the_changes_of_the_schema_alone(folder: Folder) -> None:
    two_schemas(folder)

    found = reading.changes(Git(folder.history))

    assert [change.at[:10] for change in found] == ["2026-11-24", "2026-11-22"]
    assert "the schema changed" in found[0].message


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("20261122-120000", "20261123-120000", True, id="two backups, one schema"),
        pytest.param("20261122-120000", "20261124-120000", False, id="two backups, two schemas"),
        pytest.param("20261123-120000", None, False, id="the newest, if nothing is said"),
        pytest.param("2026-11-24", None, True, id="a day is its end"),
        pytest.param("2026-11-24T11:59:59Z", None, False, id="an instant"),
        pytest.param("2026-11-24 12:00:00", None, True, id="an instant is in UTC"),
    ],
)
def test_two_moments_are_compared(folder: Folder, one: str, other: str | None, same: bool) -> None:
    two_schemas(folder)

    patch = reading.difference(Git(folder.history), one, other)

    assert (patch == "") is same
    assert same or "+CREATE TABLE people (id int, name text);" in patch


def test_a_commit_is_a_moment_too(folder: Folder) -> None:
    two_schemas(folder)
    git = Git(folder.history)
    newest, oldest = reading.changes(git)

    assert reading.find(git, oldest.commit[:10]) == oldest.commit
    assert reading.difference(git, newest.commit, None) == ""


@pytest.mark.parametrize(
    "name", ["20200101-000000", "2020-01-01", "beef", "--output=x", "main; rm"]
)
def test_what_the_history_has_not_is_told(folder: Folder, name: str) -> None:
    two_schemas(folder)

    with pytest.raises(BackupError, match="the history has nothing for"):
        reading.find(Git(folder.history), name)


def test_no_hook_of_the_repository_runs(folder: Folder, tmp_path: Path) -> None:
    commits.prepare(Git(folder.history))
    hook = folder.history / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)

    history.add(folder, ONE, a_manifest(), some_settings())

    assert not (tmp_path / "ran").exists()


def test_a_damaged_history_fails_no_backup_and_is_told(folder: Folder) -> None:
    history.add(folder, ONE, a_manifest(), some_settings())
    for path in (folder.history / "objects").rglob("*"):
        if path.is_file():
            path.unlink()

    history.record(folder, TWO, a_manifest(NOON + DAY), some_settings())

    assert "git" in str(history.state(folder).trouble)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"backup_git_remote": "git@host:x.git"}, ["BACKUP_GIT_KEY", "BACKUP_GIT_KNOWN_HOSTS"]),
        ({"backup_git_remote": "https://host/x.git"}, ["BACKUP_GIT_TOKEN"]),
        ({"backup_git_remote": "file:///x.git"}, ["BACKUP_GIT_REMOTE"]),
        ({"backup_git_remote": "--upload-pack=x@y:z"}, ["BACKUP_GIT_REMOTE"]),
        ({"backup_git_remote": "https://u:p4ss@host/x.git"}, ["BACKUP_GIT_REMOTE"]),
    ],
)
def test_a_remote_that_cannot_work_is_told_at_start(
    given: dict[str, object], missing: list[str]
) -> None:
    with pytest.raises(Exception, match="BACKUP_GIT") as raised:
        some_settings(**given)

    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == missing
    assert "p4ss" not in str(raised.value)


def test_trouble_that_can_not_even_be_kept_fails_no_backup(folder: Folder) -> None:
    folder.history.write_text("no folder", encoding="utf-8")
    folder.state.write_text("no folder either", encoding="utf-8")

    history.record(folder, ONE, a_manifest(), some_settings())


def test_no_history_is_begun_while_the_remote_that_may_have_one_is_away(folder: Folder) -> None:
    away = some_settings(
        backup_git_remote="https://127.0.0.1:1/history.git", backup_git_token="t0ken"
    )

    history.record(folder, ONE, a_manifest(), away)

    assert commits.head(Git(folder.history)) is None
    assert "the history is not begun" in str(history.state(folder).trouble)


def test_a_history_that_has_begun_goes_on_while_the_remote_is_away(folder: Folder) -> None:
    first = history.add(folder, ONE, a_manifest(), some_settings())
    away = some_settings(
        backup_git_remote="https://127.0.0.1:1/history.git", backup_git_token="t0ken"
    )

    history.record(folder, TWO, a_manifest(NOON + DAY), away)

    assert commits.head(Git(folder.history)) not in {None, first}


def loose(folder: Folder) -> int:
    return int(plain_git(folder, "count-objects").split()[0])


def test_the_history_is_packed_once_a_month(folder: Folder) -> None:
    packing.pack(folder, NOON)  # there is none yet, and that is no trouble
    history.add(folder, ONE, a_manifest(), some_settings())
    packing.pack(folder, NOON)
    assert loose(folder) == 0

    history.add(folder, TWO, a_manifest(NOON + DAY), some_settings())
    packing.pack(folder, NOON + 29 * DAY)
    assert loose(folder) > 0
    packing.pack(folder, NOON + 30 * DAY)
    assert loose(folder) == 0
    assert len(reading.changes(Git(folder.history))) == 2


def test_a_history_that_can_not_be_packed_is_left_alone_for_a_month(folder: Folder) -> None:
    history.add(folder, ONE, a_manifest(), some_settings())
    blob = plain_git(folder, "rev-parse", "main:schema.sql").strip()
    (folder.history / "objects" / blob[:2] / blob[2:]).unlink()

    with capture_logs() as logged:
        packing.pack(folder, NOON)
        packing.pack(folder, NOON + DAY)

    assert [entry["event"] for entry in logged] == ["the history is not packed"]
