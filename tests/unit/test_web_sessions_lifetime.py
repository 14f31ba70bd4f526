"""How long a session lasts: in use, unused, and at the very most."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.session_app import Clock, files, meanwhile, same_browser, with_views
from tests.web_app import an_app

IDLE, ABSOLUTE = 1800, 43_200


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def client(clock: Clock, tmp_path: Path) -> FlaskClient:  # noqa: ARG001 the time is set before the session starts
    client = with_views(an_app(session_file_dir=tmp_path, ratelimit_enabled=False)).test_client()
    client.get("/remember")
    return client


def test_session_in_use_is_written_again_only_after_a_tenth_of_its_lifetime(
    client: FlaskClient, clock: Clock, tmp_path: Path
) -> None:
    first = files(tmp_path)[0].stat().st_ino

    clock.pass_by(IDLE / 10)
    client.get("/recall")
    at_a_tenth = files(tmp_path)[0].stat().st_ino
    clock.pass_by(1)
    client.get("/recall")

    assert at_a_tenth == first
    assert files(tmp_path)[0].stat().st_ino != first


def test_session_in_use_lasts(client: FlaskClient, clock: Clock) -> None:
    for _ in range(10):
        clock.pass_by(IDLE - 200)

        assert client.get("/recall").text == "ada"


def test_session_that_nobody_uses_ends(client: FlaskClient, clock: Clock) -> None:
    clock.pass_by(IDLE + 1)

    assert client.get("/recall").text == "None"


def test_keeping_a_session_for_longer_does_not_undo_what_another_request_wrote(
    client: FlaskClient, clock: Clock
) -> None:
    window = same_browser(client)
    meanwhile(client.application, lambda: window.get("/change"))
    clock.pass_by(IDLE / 2)

    client.get("/slow_read")

    with client.session_transaction() as session:
        assert "changed" in session


def test_even_a_session_in_use_ends(client: FlaskClient, clock: Clock) -> None:
    for _ in range(ABSOLUTE // 1000):
        clock.pass_by(1000)
        assert client.get("/recall").text == "ada"

    clock.pass_by(201)

    assert client.get("/recall").text == "None"


def test_new_id_does_not_prolong_a_session(client: FlaskClient, clock: Clock) -> None:
    for _ in range(ABSOLUTE // 1000):
        clock.pass_by(1000)
        client.get("/move")

    clock.pass_by(201)

    assert client.get("/recall").text == "None"


def test_near_its_end_a_session_is_not_written_at_every_request(
    client: FlaskClient, clock: Clock, tmp_path: Path
) -> None:
    for _ in range(ABSOLUTE // 1000):
        clock.pass_by(1000)
        client.get("/recall")
    before = files(tmp_path)[0].stat().st_ino

    clock.pass_by(10)
    client.get("/recall")

    assert files(tmp_path)[0].stat().st_ino == before


def test_time_starts_anew_at_sign_in(client: FlaskClient, clock: Clock) -> None:
    for _ in range(ABSOLUTE // 1000):
        clock.pass_by(1000)
        client.get("/change")

    client.get("/sign_in")
    clock.pass_by(1000)

    assert client.get("/recall").text == "grace"


def test_cookie_says_when_even_a_session_in_use_is_over(clock: Clock, tmp_path: Path) -> None:
    clock.now = 1_800_000_000
    client = with_views(an_app(session_file_dir=tmp_path)).test_client()

    sent = client.get("/remember").headers["Set-Cookie"]

    assert "Expires=Fri, 15 Jan 2027 20:00:00 GMT" in sent
