"""A session that ended, or got another id, does not come back through a request that was slower."""

from pathlib import Path

import pytest
from flask import Flask, session

from tests.session_app import cookie_of, files, meanwhile, same_browser, with_views
from tests.web_app import an_app
from web.sessions.interface import end, rotate


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return with_views(an_app(session_file_dir=tmp_path, ratelimit_enabled=False))


@pytest.mark.parametrize("ending", ["/leave", "/forget", "/move", "/sign_in"])
def test_slow_request_brings_no_dead_id_back(app: Flask, ending: str, tmp_path: Path) -> None:
    client = app.test_client()
    client.get("/remember")
    dead, window = cookie_of(client), same_browser(client)
    meanwhile(app, lambda: window.get(ending))

    answer = client.get("/slow_change")

    assert "Set-Cookie" not in answer.headers, "it would replace the newer one"
    replayed = app.test_client()
    replayed.set_cookie("session", dead)
    assert replayed.get("/recall").text == "None"
    assert len(files(tmp_path)) == (1 if ending in {"/move", "/sign_in"} else 0)


def test_slow_request_that_takes_a_new_id_does_not_undo_a_sign_out(
    app: Flask, tmp_path: Path
) -> None:
    client = app.test_client()
    client.get("/remember")
    window = same_browser(client)
    meanwhile(app, lambda: window.get("/leave"))

    answer = client.get("/slow_move")

    assert answer.text == "None"
    assert files(tmp_path) == []


def test_two_sign_ins_at_once_both_hold(app: Flask) -> None:
    """Who clicks twice has the answer of the second alone."""
    client = app.test_client()
    client.get("/remember")
    window = same_browser(client)
    meanwhile(app, lambda: window.get("/sign_in"))

    client.get("/slow_sign_in")

    assert (client.get("/recall").text, window.get("/recall").text) == ("grace", "grace")


def test_rotated_id_is_dead_and_its_successor_holds_the_data(app: Flask) -> None:
    client = app.test_client()
    client.get("/remember")
    replayed = same_browser(client)

    client.get("/move")

    assert client.get("/recall").text == "ada"
    assert cookie_of(client) != cookie_of(replayed)
    assert replayed.get("/recall").text == "None"


def test_new_id_for_an_empty_session_does_no_harm(app: Flask, tmp_path: Path) -> None:
    answer = app.test_client().get("/move")

    assert answer.status_code == 200
    assert files(tmp_path) == []


def test_new_id_before_the_data_is_as_good_as_after_it(app: Flask) -> None:
    def backwards() -> str:
        rotate()
        session["name"] = "ada"
        return "ok"

    app.add_url_rule("/backwards", "backwards", backwards)
    client = app.test_client()

    client.get("/backwards")

    assert client.get("/recall").text == "ada"


def test_session_can_begin_in_the_request_that_ended_another(app: Flask, tmp_path: Path) -> None:
    def again() -> str:
        end()
        session["name"] = "said good-bye"
        return "ok"

    app.add_url_rule("/again", "again", again)
    client = app.test_client()
    client.get("/remember")
    before = cookie_of(client)

    client.get("/again")

    assert cookie_of(client) != before
    assert client.get("/recall").text == "said good-bye"
    assert len(files(tmp_path)) == 1


def test_sign_in_makes_the_forms_of_before_stale(app: Flask) -> None:
    """Who knew the token before must not send forms in the name of who signed in."""
    client = app.test_client()
    client.get("/subscribe")
    with client.session_transaction() as visitor:
        before = visitor["csrf_token"]

    client.get("/sign_in")
    client.get("/subscribe")

    with client.session_transaction() as signed_in:
        assert signed_in["csrf_token"] != before


def test_form_in_the_answer_to_a_sign_in_can_be_sent(app: Flask) -> None:
    client = app.test_client()

    token = client.get("/sign_in_and_ask").text

    answer = client.post("/subscribe", data={"csrf_token": token, "email": "no address"})
    assert answer.status_code == 422
