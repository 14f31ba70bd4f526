"""The folder of the sessions is gone, full or broken: nobody is signed out, and nothing is a 500."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from tests.session_app import Clock, files, with_views
from tests.web_app import an_app, send_form
from web.sessions.files import SessionFiles
from web.sessions.store import SessionStoreError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def app(folder: Path) -> Flask:
    return with_views(an_app(session_file_dir=folder))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.get("/remember")
    return client


def break_writing(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(*_args: object, **_given: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("os.replace", fail)


@pytest.mark.parametrize("path", ["/recall", "/change", "/leave", "/move", "/forget"])
def test_who_has_a_session_is_told_to_come_back(
    client: FlaskClient, folder: Path, path: str
) -> None:
    aside = folder.rename(folder.with_name("aside"))

    with capture_logs() as lines:
        answer = client.get(path)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Nobody is signed out" in answer.text
    assert "Set-Cookie" not in answer.headers
    (line,) = [line for line in lines if line["log_level"] in {"warning", "error"}]
    assert line["event"] == "session store away"
    assert line["reason"].endswith("cannot be used: No such file or directory")
    aside.rename(folder)
    assert client.get("/recall").text == "ada"


def test_folder_that_became_a_file_is_no_sign_out(client: FlaskClient, folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("")

    assert client.get("/recall").status_code == 503


def test_who_needs_no_session_notices_nothing(client: FlaskClient, folder: Path) -> None:
    shutil.rmtree(folder)
    stranger = client.application.test_client()

    assert stranger.get("/subscribe/asked").status_code == 200
    assert stranger.get("/recall").text == "None"
    assert send_form(stranger, "/subscribe", email="no address").status_code == 422
    assert client.get("/subscribe/asked").status_code == 200


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_session_that_cannot_be_written_is_a_503_with_all_headers(
    app: Flask, monkeypatch: pytest.MonkeyPatch, folder: Path, code: int
) -> None:
    break_writing(monkeypatch, code)

    with capture_logs() as lines:
        answer = app.test_client().get("/remember")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert files(folder) == []
    (request,) = [line for line in lines if line["event"] == "request"]
    assert request["status"] == 503
    (line,) = [line for line in lines if line["event"] == "session store away"]
    assert os.strerror(code) in line["reason"]


def test_it_is_problem_details_under_the_api(client: FlaskClient, folder: Path) -> None:
    shutil.rmtree(folder)

    answer = client.get("/api/recall")

    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")


def test_session_that_cannot_be_kept_for_longer_is_read_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    client = with_views(an_app(session_file_dir=folder, ratelimit_enabled=False)).test_client()
    client.get("/remember")
    clock.pass_by(1000)
    break_writing(monkeypatch, errno.ENOSPC)

    with capture_logs() as lines:
        answer = client.get("/recall")

    assert (answer.status_code, answer.text) == (200, "ada")
    assert any(line["event"] == "session not kept for longer" for line in lines)


def test_disk_that_fails_to_read_is_no_sign_out(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("web.sessions.files.whole", fail)

    assert client.get("/recall").status_code == 503


def test_folder_that_cannot_be_made_does_not_keep_web_from_starting(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    files = SessionFiles(blocked / "sessions")

    assert files.folder == blocked / "sessions"


def test_one_request_asks_a_store_that_is_away_once_alone(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fail(_files: SessionFiles, key: str) -> None:
        asked.append(key)
        raise SessionStoreError("away")

    monkeypatch.setattr(SessionFiles, "read", fail)

    answer = client.post("/subscribe", data={"csrf_token": "stale", "email": "ada@example.org"})

    assert (answer.status_code, len(asked)) == (503, 1)


def test_form_without_a_token_is_no_500_either(client: FlaskClient, folder: Path) -> None:
    shutil.rmtree(folder)

    answer = client.post(
        "/subscribe",
        data={"email": "ada@example.org"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_check_says_what_is_wrong(tmp_path: Path, folder: Path) -> None:
    store = SessionFiles(folder)
    store.check()
    assert files(folder) == []

    folder.rmdir()

    with pytest.raises(SessionStoreError, match=f"{tmp_path}/sessions .* No such file"):
        store.check()


def test_what_json_cannot_say_is_a_mistake_that_is_seen(
    app: Flask, caplog: pytest.LogCaptureFixture, folder: Path
) -> None:
    def broken() -> str:
        from flask import session  # noqa: PLC0415 beside its only use

        session["name"] = object()
        return "ok"

    app.add_url_rule("/broken", "broken", broken)

    assert app.test_client().get("/broken").status_code == 500
    assert "not JSON serializable" in caplog.text
    assert files(folder) == []
