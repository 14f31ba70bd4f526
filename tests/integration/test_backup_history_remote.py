"""The history goes to a real git server over ssh: pinned, retried, and never over what others pushed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from backup.catalogue.folder import Folder
from backup.history import history
from backup.settings import Settings
from tests.backup_manifests import NOON, a_manifest, some_settings
from tests.peers.git_server import GitServer, new_key, running_git_server
from tests.waiting import eventually

SCHEMA = "CREATE TABLE people (id int);\n"
FIRST = "proven 20261122-120000: the schema changed, 1 tables, 3 rows"
SECOND = "proven 20261123-120000: the schema is as it was, 1 tables, 3 rows"
LATER = NOON + timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with running_git_server(tmp_path) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "volume").mkdir()
    return Folder(tmp_path / "volume")


def settings_for(server: GitServer, **given: object) -> Settings:
    complete: dict[str, object] = {
        "backup_git_remote": server.address,
        "backup_git_key": server.key,
        "backup_git_known_hosts": server.known_hosts(),
        **given,
    }
    return some_settings(**complete)


@contextmanager
def away(server: GitServer) -> Iterator[None]:
    """Have the server away until the end of the block."""
    server.container.stop(timeout=0)
    try:
        yield
    finally:
        server.container.start()
        eventually(server.answers, what="it is back")


def test_each_backup_is_pushed(server: GitServer, folder: Folder) -> None:
    settings = settings_for(server)

    history.record(folder, SCHEMA, a_manifest(), settings)
    history.record(folder, SCHEMA, a_manifest(LATER), settings)

    assert server.log() == [FIRST, SECOND]
    assert history.state(folder).trouble is None


def test_a_wrong_host_key_is_refused_at_once(
    server: GitServer, folder: Folder, tmp_path: Path
) -> None:
    other = new_key(tmp_path / "other").with_suffix(".pub").read_text(encoding="utf-8")
    settings = settings_for(server, backup_git_known_hosts=f"[127.0.0.1]:{server.port} {other}")
    began = time.monotonic()

    history.record(folder, SCHEMA, a_manifest(), settings)

    assert time.monotonic() - began < 10
    assert "shows another host key" in str(history.state(folder).trouble)
    assert server.log() == []


def test_a_key_that_is_not_let_in_is_told(
    server: GitServer, folder: Folder, tmp_path: Path
) -> None:
    other = new_key(tmp_path / "other").read_text(encoding="utf-8")

    history.record(folder, SCHEMA, a_manifest(), settings_for(server, backup_git_key=other))

    assert "Permission denied (publickey" in str(history.state(folder).trouble)


def test_a_remote_that_was_away_gets_all_once_it_is_back(server: GitServer, folder: Folder) -> None:
    settings = settings_for(server)
    history.record(folder, SCHEMA, a_manifest(), settings)
    with away(server):
        history.record(folder, SCHEMA, a_manifest(LATER), settings)
        told = history.state(folder)

    history.push(folder, settings, LATER)

    assert told.trouble
    assert told.since == LATER.isoformat()
    assert server.log() == [FIRST, SECOND]
    assert history.state(folder).trouble is None


def test_what_others_pushed_is_never_overwritten(server: GitServer, folder: Folder) -> None:
    settings = settings_for(server)
    history.record(folder, SCHEMA, a_manifest(), settings)
    server.commit_elsewhere()

    history.record(folder, SCHEMA, a_manifest(LATER), settings)

    assert "give each stack a repository of its own" in str(history.state(folder).trouble)
    assert server.log() == ["theirs"]


def test_a_new_machine_goes_on_from_the_history_of_the_lost_one(
    server: GitServer, folder: Folder, tmp_path: Path
) -> None:
    settings = settings_for(server)
    history.record(folder, SCHEMA, a_manifest(), settings)
    (tmp_path / "new machine").mkdir()
    new = Folder(tmp_path / "new machine")

    history.record(new, SCHEMA, a_manifest(LATER), settings)

    assert server.log() == [FIRST, SECOND]
    assert history.state(new).trouble is None


def test_a_new_machine_waits_for_the_history_of_the_lost_one(
    server: GitServer, folder: Folder, tmp_path: Path
) -> None:
    settings = settings_for(server)
    history.record(folder, SCHEMA, a_manifest(), settings)
    (tmp_path / "new machine").mkdir()
    new = Folder(tmp_path / "new machine")

    with away(server):
        history.record(new, SCHEMA, a_manifest(LATER - HOUR), settings)
        told = history.state(new).trouble
    history.record(new, SCHEMA, a_manifest(LATER), settings)

    assert "the history is not begun" in str(told)
    assert server.log() == [FIRST, SECOND]
    assert history.state(new).trouble is None


def test_nothing_is_asked_of_the_remote_that_has_all_already(
    server: GitServer, folder: Folder
) -> None:
    settings = settings_for(server)
    history.record(folder, SCHEMA, a_manifest(), settings)
    server.container.stop(timeout=0)

    assert history.push(folder, settings, LATER) is None
