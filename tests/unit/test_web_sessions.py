from pathlib import Path

import pytest
from flask import Flask, session

from tests.web_app import an_app, form_token

PRODUCTION = {
    "app_env": "production",
    "base_url": "https://status.example.org",
    "cors_origins": "https://status.example.org",
    "database_url": "postgresql://web@/nothing?host=/nonexistent&sslmode=verify-full",
}


def with_views(app: Flask) -> Flask:
    def remember() -> str:
        session["name"] = "ada"
        return "ok"

    def recall() -> str:
        return str(session.get("name"))

    def forget() -> str:
        session.clear()
        return "ok"

    for view in (remember, recall, forget):
        app.add_url_rule(f"/{view.__name__}", view.__name__, view)
    return app


def files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


def test_reading_pages_and_forms_makes_no_file(tmp_path: Path) -> None:
    app = an_app(session_file_dir=tmp_path)

    for _ in range(20):
        app.test_client().get("/subscribe")

    assert files(tmp_path) == []


def test_page_without_a_form_sets_no_cookie() -> None:
    answer = an_app().test_client().get("/subscribe/asked")

    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_form_sets_its_cookie_once() -> None:
    client = an_app().test_client()

    first, second = client.get("/subscribe"), client.get("/subscribe")

    assert "HttpOnly; Path=/; SameSite=Lax" in first.headers["Set-Cookie"]
    assert "Set-Cookie" not in second.headers
    assert form_token(second)


def test_forged_visitor_cookie_is_not_believed() -> None:
    client = an_app().test_client()
    client.set_cookie("visitor", "ImZvcmdlZCI.forged-signature")

    answer = client.get("/subscribe")

    assert "visitor=" in answer.headers["Set-Cookie"]


def test_session_is_a_file_without_pickle_that_only_our_group_may_use(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()

    client.get("/remember")

    (file,) = files(tmp_path)
    assert file.read_bytes()[4:] == b'{"_permanent": true, "name": "ada"}'
    assert file.stat().st_mode & 0o777 == 0o660
    assert client.get("/recall").text == "ada"


def test_session_that_could_not_be_put_in_place_is_open_to_our_group_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that is killed there would else leave what the mailer cannot read."""
    monkeypatch.setattr("os.replace", lambda _source, _target: None)
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()

    client.get("/remember")

    (file,) = files(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o660


def test_reading_a_session_does_not_write_it_again(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    client.get("/remember")
    before = files(tmp_path)[0].stat().st_ino

    client.get("/recall")

    assert files(tmp_path)[0].stat().st_ino == before


def test_sessions_are_not_evicted_to_make_room(tmp_path: Path) -> None:
    app = with_views(an_app(session_file_dir=tmp_path, ratelimit_enabled=False))
    first = app.test_client()
    first.get("/remember")

    for _ in range(600):
        app.test_client().get("/remember")

    assert first.get("/recall").text == "ada"


def test_session_that_was_cleared_is_gone(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    client.get("/remember")

    client.get("/forget")

    assert files(tmp_path) == []
    assert client.get("/recall").text == "None"


def test_form_token_survives_the_start_of_a_session(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    token = form_token(client.get("/subscribe"))
    client.get("/remember")

    answer = client.post("/subscribe", data={"csrf_token": token, "email": "no address"})

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "content", [b"", b"\0\0", b"\xff\xff\xff\xff{broken", b"\xff\xff\xff\xff[1]"]
)
def test_broken_session_file_is_no_session(tmp_path: Path, content: bytes) -> None:
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()
    client.get("/remember")
    files(tmp_path)[0].write_bytes(content)

    answer = client.get("/recall")

    assert (answer.status_code, answer.text) == (200, "None")


@pytest.mark.parametrize("path", ["/remember", "/subscribe"])
def test_cookies_are_for_https_only_in_production(path: str, tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path, **PRODUCTION)).test_client()

    answer = client.get(path)

    assert "Secure; HttpOnly; Path=/; SameSite=Lax" in answer.headers["Set-Cookie"]


def test_cookies_are_for_https_only_where_they_came_by_https(tmp_path: Path) -> None:
    client = with_views(an_app(session_file_dir=tmp_path, trusted_proxies=1)).test_client()

    answer = client.get("/remember", headers={"X-Forwarded-Proto": "https"})

    assert "; Secure;" in answer.headers["Set-Cookie"]
