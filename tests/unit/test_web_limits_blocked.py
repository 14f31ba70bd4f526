"""Who is refused now, and an end to that."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tests.web_app import an_app, send_form
from web.limits import blocked

ADDRESS = "127.0.0.1"


@pytest.fixture
def app() -> Flask:
    return an_app(ratelimit_default="2 per hour;3 per day")


def test_who_met_the_limit_of_the_site_is_refused_until_its_window_ends(app: Flask) -> None:
    client = app.test_client()
    for _ in range(3):
        client.get("/nowhere")

    with app.app_context():
        until = blocked.until("site", ADDRESS)
        others = blocked.until("site", "203.0.113.7")

    assert others is None
    assert until
    assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(minutes=60)


def test_who_is_cleared_is_let_through_by_all_limits_of_the_rule(app: Flask) -> None:
    client = app.test_client()
    refused = [client.get("/nowhere").status_code for _ in range(3)]

    with app.app_context():
        is_clear = blocked.clear("site", ADDRESS)

    assert refused == [404, 404, 429]
    assert is_clear
    assert [client.get("/nowhere").status_code for _ in range(2)] == [404, 404]


def test_other_counts_stay(app: Flask) -> None:
    client = app.test_client()
    for _ in range(3):
        client.get("/nowhere")

    with app.app_context():
        blocked.clear("site", "203.0.113.7")

    assert client.get("/nowhere").status_code == 429


def test_tight_limits_are_known_by_their_rule() -> None:
    app = an_app(ratelimit_default="1000 per hour")
    client = app.test_client()
    for number in range(10):
        send_form(client, "/subscribe", email=f"p{number}@")

    with app.app_context():
        assert blocked.until("subscribe by address", ADDRESS)
        assert blocked.clear("subscribe by address", ADDRESS)


@pytest.mark.parametrize("rule", ["", "nothing", "sign-in", "static"])
def test_rule_that_there_is_not_has_no_limits(app: Flask, rule: str) -> None:
    assert blocked.limits_of(app, rule) == []


def test_nobody_is_refused_where_there_are_no_limits() -> None:
    app = an_app(ratelimit_enabled=False)

    with app.app_context():
        assert blocked.until("site", ADDRESS) is None
        assert blocked.clear("site", ADDRESS)
