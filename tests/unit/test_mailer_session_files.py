"""One file, written by what web keeps its sessions in."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from mailer.upkeep.expiry import Fate
from mailer.upkeep.session_files import give_back, remove, settle
from tests.web_app import an_app
from web.sessions.files import SessionFiles

LONG_AGO = -10_000  # as seconds to live
KEY = "session:alice"
UNFINISHED = "tmpab12cd34.__wz_cache"


class Sessions:
    """What web keeps its sessions in, as web makes it."""

    def __init__(self, folder: Path) -> None:
        an_app(session_file_dir=folder)  # as web makes the folder
        self._store = SessionFiles(folder)

    def set(self, key: str, value: object, timeout: int) -> bool:
        """Keep a session for so many seconds."""
        return self._store.write(named(key), json.dumps(value).encode(), timeout)

    def get(self, key: str) -> object:
        """Return what is kept, or None."""
        found = self._store.read(named(key))
        return None if found is None else json.loads(found.content)

    def delete(self, key: str) -> bool:
        """Forget the session."""
        return self._store.delete(named(key))


def named(key: str) -> str:
    """Return a name such as web gives a session's file."""
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture
def cache(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path)


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def make_old(path: Path) -> None:
    os.utime(path, (time.time() - 3700, time.time() - 3700))


def test_expired_session_is_removed(cache: Sessions, tmp_path: Path) -> None:
    cache.set(KEY, {"name": "ada"}, timeout=LONG_AGO)

    assert settle(only_file(tmp_path), time.time()) is Fate.EXPIRED
    assert list(tmp_path.iterdir()) == []


def test_live_session_stays_however_old_its_file(cache: Sessions, tmp_path: Path) -> None:
    cache.set(KEY, {"name": "ada"}, timeout=60)
    make_old(only_file(tmp_path))

    assert settle(only_file(tmp_path), time.time()) is Fate.KEEP
    assert cache.get(KEY) == {"name": "ada"}


@pytest.mark.parametrize("name", [UNFINISHED, "f" * 64], ids=["aside", "empty, in place"])
def test_what_a_killed_writer_left_goes_after_an_hour(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()

    young = settle(path, time.time())
    make_old(path)
    old = settle(path, time.time())

    assert (young, old) == (Fate.KEEP, Fate.ABANDONED)
    assert not path.exists()


@pytest.mark.parametrize("name", ["README", "f" * 63, "f" * 64 + ".bak", "F" * 64, ".taken"])
def test_strangers_file_stays(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\1\0\0\0")
    make_old(path)

    assert settle(path, time.time()) is Fate.KEEP
    assert path.exists()


def test_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(b"\1\0\0\0")
    link = tmp_path / ("f" * 64)
    link.symlink_to(target)

    with pytest.raises(OSError, match="symbolic links"):
        settle(link, time.time())

    assert target.exists()


def test_session_that_web_writes_between_look_and_removal_stays(
    cache: Sessions, tmp_path: Path
) -> None:
    cache.set(KEY, {"visits": 1}, timeout=LONG_AGO)
    path = only_file(tmp_path)
    with path.open("rb"):  # or the new file could be given its inode
        seen = path.stat()
        cache.set(KEY, {"visits": 2}, timeout=60)

        assert not remove(path, seen, path)

    assert cache.get(KEY) == {"visits": 2}
    assert only_file(tmp_path) == path


def test_session_that_is_given_back_does_not_replace_a_newer_one(
    cache: Sessions, tmp_path: Path
) -> None:
    cache.set(KEY, {"visits": 1}, timeout=60)
    path = only_file(tmp_path)
    taken = path.rename(f"{path}.0123456789abcdef.taken")
    cache.set(KEY, {"visits": 2}, timeout=60)

    give_back(taken, path)

    assert cache.get(KEY) == {"visits": 2}
    assert only_file(tmp_path) == path


@pytest.mark.parametrize(("seconds", "left"), [(60, {"visits": 1}), (LONG_AGO, None)])
def test_what_a_killed_mailer_had_taken_is_settled(
    cache: Sessions, tmp_path: Path, seconds: int, left: object
) -> None:
    cache.set(KEY, {"visits": 1}, timeout=seconds)
    path = only_file(tmp_path)
    taken = path.rename(f"{path}.0123456789abcdef.taken")

    settle(taken, time.time())

    assert cache.get(KEY) == left
    assert not taken.exists()
