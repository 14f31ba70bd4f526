"""Sessions in the project's own Valkey: as good as in files, and never a sign-out because it is away."""

import json
import os
import pickle
import time
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from tests.integration.session_server import ask, replicas, with_cookie
from tests.integration.valkey import Valkey
from tests.session_app import cookie_of, meanwhile, same_browser, with_views
from tests.web_app import an_app
from web.sessions.store import SessionStoreError
from web.sessions.valkey import SessionsInValkey


@pytest.fixture
def app(valkey: Valkey) -> Flask:
    return with_views(an_app(session_type="valkey", valkey_url=valkey.url, ratelimit_enabled=False))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    client = app.test_client()
    assert client.get("/remember").status_code == 200
    return client


def key_of(client: FlaskClient) -> str:
    """Return where the browser's session is kept."""
    return "session:" + sha256(f"session:{cookie_of(client)}".encode()).hexdigest()


def test_session_is_json_under_a_key_that_does_not_tell_its_id(
    client: FlaskClient, valkey: Valkey
) -> None:
    kept = valkey.client.get(key_of(client)) or b""

    assert list(valkey.client.scan_iter()) == [key_of(client).encode()]
    assert json.loads(kept)["data"] == {"name": "ada"}
    assert 1790 < valkey.client.ttl(key_of(client)) <= 1800
    assert client.get("/recall").text == "ada"


def test_reading_pages_and_forms_keeps_nothing(app: Flask, valkey: Valkey) -> None:
    for _ in range(3):
        app.test_client().get("/subscribe")

    assert list(valkey.client.scan_iter()) == []


@pytest.mark.parametrize("slow", ["/slow_change", "/slow_move"])
@pytest.mark.parametrize("ending", ["/leave", "/forget", "/move", "/sign_in"])
def test_slow_request_brings_no_dead_id_back(
    client: FlaskClient, app: Flask, slow: str, ending: str
) -> None:
    replayed, window = same_browser(client), same_browser(client)
    meanwhile(app, lambda: window.get(ending))

    client.get(slow)

    assert replayed.get("/recall").text == "None"


def test_session_in_use_is_kept_for_longer_with_what_it_holds_by_then(
    client: FlaskClient, app: Flask, valkey: Valkey
) -> None:
    valkey.client.expire(key_of(client), 900)
    window = same_browser(client)
    meanwhile(app, lambda: window.get("/change"))

    client.get("/slow_read")

    assert 1790 < valkey.client.ttl(key_of(client)) <= 1800
    assert "changed" in json.loads(valkey.client.get(key_of(client)) or b"")["data"]


def test_session_that_is_only_read_is_not_written(client: FlaskClient, valkey: Valkey) -> None:
    valkey.client.expire(key_of(client), 1700)

    client.get("/recall")

    assert valkey.client.ttl(key_of(client)) <= 1700


class Bomb:
    """Runs something when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_pickle_is_not_run_and_garbage_is_no_session(
    client: FlaskClient, valkey: Valkey, tmp_path: Path
) -> None:
    proof = tmp_path / "run"

    for content in (pickle.dumps(Bomb(proof)), b"", b"\xff", b"[]", b"[" * 100_000):
        valkey.client.set(key_of(client), content, ex=600)
        assert client.get("/recall").text == "None"

    assert not proof.exists()


def test_key_that_holds_something_else_or_never_expires_is_no_session(
    client: FlaskClient, valkey: Valkey
) -> None:
    kept = valkey.client.get(key_of(client)) or b""
    valkey.client.set(key_of(client), kept)
    assert client.get("/recall").text == "None"

    valkey.client.delete(key_of(client))
    valkey.client.lpush(key_of(client), kept)

    assert client.get("/recall").text == "None"


def test_valkey_away_is_a_503_and_nobody_is_signed_out(
    client: FlaskClient, app: Flask, valkey: Valkey
) -> None:
    valkey.stop()
    try:
        with capture_logs() as lines:
            away = {path: client.get(path) for path in ("/recall", "/change", "/leave", "/move")}
        started = app.test_client().get("/remember")
        stranger = app.test_client().get("/recall")
    finally:
        valkey.start()

    assert {answer.status_code for answer in away.values()} == {503}
    assert {answer.headers["Retry-After"] for answer in away.values()} == {"5"}
    told = [line["event"] for line in lines if line["log_level"] != "info"]
    assert set(told) <= {"session store away", "request"}
    assert told.count("session store away") == len(away)
    assert (started.status_code, "Set-Cookie" in started.headers) == (503, False)
    assert (stranger.status_code, stranger.text) == (200, "None")
    assert client.get("/recall").text == "ada"


def test_valkey_that_says_nothing_holds_nobody_up_for_long(
    client: FlaskClient, valkey: Valkey
) -> None:
    valkey.pause()
    begun = time.monotonic()
    try:
        answer = client.get("/recall")
        waited = time.monotonic() - begun
    finally:
        valkey.unpause()

    assert answer.status_code == 503
    assert waited < 1.5
    assert client.get("/recall").text == "ada"


def test_check_says_whether_it_answers(valkey: Valkey) -> None:
    store = SessionsInValkey(valkey.url.replace("valkeys://", "rediss://"))
    store.check()

    valkey.stop()
    try:
        with pytest.raises(SessionStoreError, match="cannot be used: ConnectionError"):
            store.check()
    finally:
        valkey.start()


def test_restart_of_valkey_goes_unnoticed(client: FlaskClient, valkey: Valkey) -> None:
    valkey.stop()
    valkey.start()

    answer = client.get("/recall")

    assert (answer.status_code, answer.text) == (200, "ada")


def test_password_of_valkey_is_not_logged(client: FlaskClient, valkey: Valkey) -> None:
    password = valkey.url.split("@", maxsplit=1)[0].rpartition(":")[2]
    valkey.stop()
    try:
        with capture_logs() as lines:
            client.get("/recall")
    finally:
        valkey.start()

    assert len(password) > 10
    assert password not in str(lines)


def test_servers_without_a_common_folder_share_sessions(
    client: FlaskClient, valkey: Valkey, tmp_path: Path
) -> None:
    with replicas(tmp_path, SESSION_TYPE="valkey", VALKEY_URL=valkey.url) as (one, other):
        assert ask(with_cookie(cookie_of(client)), one, "recall") == (200, "ada")
        assert ask(with_cookie(cookie_of(client)), other, "leave") == (200, "ok")

        assert ask(with_cookie(cookie_of(client)), one, "recall") == (200, "None")
