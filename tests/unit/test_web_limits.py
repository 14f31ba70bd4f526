import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from tests.web_app import an_app, form_token


def ask(client: FlaskClient, path: str, address: str = "203.0.113.9") -> TestResponse:
    return client.get(path, headers={"X-Forwarded-For": address})


def test_pages_share_one_limit_per_address() -> None:
    client = an_app(ratelimit_default="3 per hour", trusted_proxies=1).test_client()

    paths = ["/subscribe", "/subscribe/asked", "/subscribe/confirmed", "/subscribe"]
    statuses = [ask(client, path).status_code for path in paths]

    assert statuses == [200, 200, 200, 429]
    assert ask(client, "/subscribe", address="203.0.113.10").status_code == 200


def test_default_is_fifty_an_hour() -> None:
    client = an_app().test_client()

    statuses = [client.get("/subscribe/asked").status_code for _ in range(51)]

    assert statuses == [200] * 50 + [429]


def test_breach_says_when_to_come_back_and_is_logged() -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()
    client.get("/subscribe")

    with capture_logs() as lines:
        answer = client.get("/subscribe")

    assert answer.status_code == 429
    assert 3590 <= int(answer.headers["Retry-After"]) <= 3601
    assert "more often than we can serve" in answer.text
    (line,) = [line for line in lines if line["event"] == "rate limit exceeded"]
    assert (line["limit"], line["route"], line["address"]) == (
        "1 per 1 hour",
        "subscribe.form",
        "127.0.0.1",
    )


def test_breach_is_problem_details_under_the_api() -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()
    client.get("/subscribe")

    answer = client.get("/api/v1/status")

    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/nothing", "/dev/inbox"])
def test_some_pages_are_not_counted(path: str) -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()

    for _ in range(3):
        assert client.get(path).status_code != 429

    assert client.get("/subscribe").status_code == 200


def test_subscribing_has_a_tighter_limit() -> None:
    client = an_app(ratelimit_default="100 per hour").test_client()
    fields = {"csrf_token": form_token(client.get("/subscribe")), "email": "no address"}

    statuses = [client.post("/subscribe", data=fields).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]
    assert client.get("/subscribe").status_code == 200


def test_limits_can_be_switched_off() -> None:
    client = an_app(ratelimit_default="1 per hour", ratelimit_enabled=False).test_client()

    assert [client.get("/subscribe").status_code for _ in range(3)] == [200, 200, 200]
