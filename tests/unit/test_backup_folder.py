import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backup.errors import BackupError, BusyError, DamagedError
from backup.files import complete_or_absent, sha256_of
from backup.folder import Folder
from backup.manifest import Fingerprint, Grant, Manifest, Origin, Table
from common.settings import ConfigError
from tests.conftest import ROOT
from tests.waiting import eventually

THREE = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def a_backup(folder: Folder, backup_id: str = "20261122-030000") -> Manifest:
    """Put a backup of one table into the folder."""
    folder.dump(backup_id).write_bytes(b"content")
    manifest = Manifest(
        id=backup_id,
        started_at=THREE,
        finished_at=THREE,
        bytes=7,
        sha256=sha256_of(folder.dump(backup_id)),
        origin=Origin(
            database="keelson",
            server_version="17.6",
            roles=["keelson_owner"],
            grants=[Grant(role=None, privilege="CONNECT")],
        ),
        fingerprint=Fingerprint(
            tables={"public.t": Table(rows=2, hashes=str(2**70))}, sequences={"public.s": -1}
        ),
    )
    manifest.write(folder.manifest(backup_id))
    return manifest


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, turn_seconds=0)


def test_manifest_comes_back_as_it_was_written(folder: Folder) -> None:
    written = a_backup(folder)

    assert Manifest.read(folder.manifest(written.id)) == written


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param('{"id": "20261122-030000"', id="cut off"),
        pytest.param("[]", id="something else"),
        pytest.param('{"id": "../../etc/passwd"}', id="not an id"),
    ],
)
def test_damaged_manifest_is_refused_and_does_not_count(folder: Folder, content: str) -> None:
    good = a_backup(folder)
    damaged = folder.manifest("20261123-030000")
    damaged.write_text(content, encoding="utf-8")

    with pytest.raises(DamagedError, match=f"{damaged} is damaged: .*; use another backup"):
        Manifest.read(damaged)
    assert folder.proven() == [good]


def test_manifest_of_an_unproven_state_does_not_count(folder: Folder) -> None:
    manifest = a_backup(folder)
    path = folder.manifest(manifest.id)
    path.write_text(path.read_text(encoding="utf-8").replace('"proven"', '"running"'), "utf-8")

    assert folder.proven() == []


def test_newest_backup_is_found_unless_another_is_named(folder: Folder) -> None:
    older, newer = a_backup(folder, "20261121-030000"), a_backup(folder, "20261122-030000")

    assert folder.find(None) == newer
    assert folder.find(older.id) == older
    with pytest.raises(BackupError, match=r"no proven backup 20200101-000000 .* 20261121-030000, "):
        folder.find("20200101-000000")


def test_sweeping_leaves_what_counts_and_nothing_else(folder: Folder) -> None:
    kept = a_backup(folder)
    folder.dump("20261123-030000").write_bytes(b"never proven")
    (folder.path / ".20261124-030000.dump.partial").write_bytes(b"half")
    (folder.scratch / "data").mkdir(parents=True)

    folder.sweep()

    names = sorted(path.name for path in folder.path.iterdir())
    assert names == [f"{kept.id}.dump", f"{kept.id}.json"]


def test_backup_of_the_same_second_is_not_touched(folder: Folder) -> None:
    kept = a_backup(folder)

    with pytest.raises(BackupError, match="there is a backup 20261122-030000 already"):
        folder.require_absent(kept.id)


def test_second_who_claims_the_folder_is_sent_away_until_the_first_is_done(folder: Folder) -> None:
    with (
        folder.claimed(),
        pytest.raises(BusyError, match="try later"),
        Folder(folder.path, turn_seconds=0).claimed(),
    ):
        pytest.fail("two at work in one folder")

    with Folder(folder.path, turn_seconds=0).claimed():
        pass


def test_folder_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^BACKUP_FOLDER: .*/absent is not a folder that user"):
        Folder(tmp_path / "absent").require_writable()


def test_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"before")

    with pytest.raises(OSError, match="disk full"):
        write_half(target)

    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def write_half(target: Path) -> None:
    with complete_or_absent(target) as out:
        out.write(b"after")
        raise OSError("disk full")


def test_writer_that_is_killed_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    target = tmp_path / "file"
    half = (
        "import pathlib, sys, time; from backup.files import complete_or_absent as whole\n"
        "with whole(pathlib.Path(sys.argv[1])) as out: out.write(b'half'); out.flush(); time.sleep(60)"
    )
    writer = subprocess.Popen([sys.executable, "-c", half, str(target)], cwd=ROOT)
    eventually(lambda: list(tmp_path.iterdir()) != [], 30, "it writes")

    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()

    assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == [".file.partial"]
