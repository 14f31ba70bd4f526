"""Whatever stands in the session folder: no crash, and nobody is signed in by it."""

import json
import os
import pickle
import socket
import struct
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.session_app import with_views
from tests.web_app import an_app
from web.sessions.files import SessionFiles
from web.sessions.session import read_back

SID = "S" * 43
KEY = sha256(f"session:{SID}".encode()).hexdigest()
ALIVE = struct.pack("I", int(time.time()) + 100_000)
GENUINE = b'{"started": %d, "data": {"name": "ada"}}' % time.time()

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def asked(folder: Path) -> tuple[int, str]:
    """Return how a page answers to who brings this session's cookie."""
    client = with_views(an_app(session_file_dir=folder, ratelimit_enabled=False)).test_client()
    client.set_cookie("session", SID)
    answer = client.get("/recall")
    return answer.status_code, answer.text


def test_genuine_file_is_a_session(tmp_path: Path) -> None:
    """Else the tests below would prove nothing."""
    (tmp_path / KEY).write_bytes(ALIVE + GENUINE)

    assert asked(tmp_path) == (200, "ada")


@given(content=st.binary(max_size=300))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_no_session(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY).write_bytes(content)

    found = SessionFiles(tmp_path).read(KEY)

    assert found is None or read_back(found.content, SID, found.seconds_left) is None


@given(value=json_values)
def test_other_json_is_no_session(value: object) -> None:
    assert read_back(json.dumps(value).encode(), SID, 100) is None


@given(started=json_values, data=json_values)
def test_session_of_the_wrong_types_is_none(started: object, data: object) -> None:
    content = json.dumps({"started": started, "data": data}).encode()

    found = read_back(content, SID, 100)

    assert (found is not None) == (isinstance(started, int) and isinstance(data, dict))


@pytest.mark.parametrize("length", range(len(ALIVE + GENUINE)))
def test_truncated_file_is_no_session(tmp_path: Path, length: int) -> None:
    (tmp_path / KEY).write_bytes((ALIVE + GENUINE)[:length])

    found = SessionFiles(tmp_path).read(KEY)

    assert found is None or read_back(found.content, SID, 100) is None


def link_to_genuine(path: Path) -> None:
    target = path.with_name("elsewhere")
    target.write_bytes(ALIVE + GENUINE)
    path.symlink_to(target)


def a_socket(path: Path) -> None:
    there = os.getcwd()  # noqa: PTH109 back to where it was
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(there)


WRONG: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "two bytes": lambda path: path.write_bytes(b"\0\0"),
    "not JSON": lambda path: path.write_bytes(ALIVE + b"{broken"),
    "nested too deep": lambda path: path.write_bytes(ALIVE + b"[" * 100_000),
    "not UTF-8": lambda path: path.write_bytes(ALIVE + b'{"\xff": 1}'),
    "huge number": lambda path: path.write_bytes(ALIVE + b"1" * 10_000),
    "pickle": lambda path: path.write_bytes(ALIVE + pickle.dumps({"name": "ada"})),
    "expired": lambda path: path.write_bytes(struct.pack("I", 1) + GENUINE),
    "never expires": lambda path: path.write_bytes(struct.pack("I", 0) + GENUINE),
    "started long ago": lambda path: path.write_bytes(
        ALIVE + b'{"started": 1, "data": {"name": "ada"}}'
    ),
    "link": link_to_genuine,
    "dead link": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path),
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "socket": a_socket,
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_what_web_has_not_written_is_no_session(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / KEY)

    assert asked(tmp_path) == (200, "None")


def test_file_of_another_user_is_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may write to the folder, as the mailer may, cannot sign in by it."""
    (tmp_path / KEY).write_bytes(ALIVE + GENUINE)
    monkeypatch.setattr("os.geteuid", lambda: 4242)

    assert asked(tmp_path) == (200, "None")


def test_file_that_may_not_be_read_is_no_session_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where cachelib would try again for sixteen seconds."""
    real = os.open

    def refuse(path: str | Path, *args: int, **given: int) -> int:
        if Path(path).name == KEY:
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **given)

    monkeypatch.setattr("os.open", refuse)
    begun = time.monotonic()

    assert asked(tmp_path) == (200, "None")
    assert time.monotonic() - begun < 2


class Bomb:
    """Runs something when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_pickle_in_the_folder_is_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "run"
    (tmp_path / KEY).write_bytes(ALIVE + pickle.dumps(Bomb(proof)))

    assert asked(tmp_path) == (200, "None")
    assert not proof.exists()
