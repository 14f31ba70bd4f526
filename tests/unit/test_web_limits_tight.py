"""The limits of single routes, by address and by account."""

import re
from collections.abc import Callable

import pytest
from flask import Flask, Response, request
from structlog.testing import capture_logs

from tests.web_app import an_app, form_token
from web.extensions import csrf
from web.limits import rules
from web.limits.tight import limit_tightly

SEE_OTHER = 303


def app_with(view: Callable[[], Response], **given: object) -> Flask:
    """Return the application with this view at /try; its form tells the status to answer with."""
    app = an_app(ratelimit_default="1000 per hour", trusted_proxies=1, **given)
    csrf.exempt(view)
    app.add_url_rule("/try", "try", view, methods=["GET", "POST"])
    return app


def answer() -> Response:
    return Response(status=int(request.values.get("status", "200")))


def send(app: Flask, email: str, address: str = "203.0.113.9", status: int = 200) -> int:
    sent = app.test_client().post(
        "/try",
        data={"email": email, "status": str(status)},
        headers={"X-Forwarded-For": address},
    )
    return sent.status_code


def limited(name: str, **given: object) -> Callable[[], Response]:
    """Return a view under a name of its own, as Flask-Limiter knows views by their names."""

    def view() -> Response:
        return answer()

    view.__qualname__ = f"view_{name}"
    numbers = {"by_address": "100 per hour", "by_account": "100 per hour"}
    return limit_tightly(name, **{**numbers, **given})(view)  # type: ignore[arg-type] # as given


def test_address_is_limited_whatever_accounts_it_names() -> None:
    app = app_with(limited("a", by_address="2 per hour"))

    answers = [send(app, f"{name}@example.org") for name in "abc"]

    assert answers == [200, 200, 429]
    assert send(app, "d@example.org", address="203.0.113.10") == 200


def test_account_is_limited_wherever_it_is_named() -> None:
    app = app_with(limited("b", by_account="2 per hour"))

    answers = [send(app, "ada@example.org", address=f"203.0.113.{n}") for n in range(3)]

    assert answers == [200, 200, 429]
    assert send(app, "eve@example.org") == 200


def test_account_is_the_same_however_its_address_is_typed() -> None:
    app = app_with(limited("c", by_account="1 per hour"))

    answers = [send(app, typed) for typed in ("ada@example.org", " Ada@EXAMPLE.org ")]

    assert answers == [200, 429]


@pytest.mark.parametrize("typed", ["", "no address", "x" * 10_000])
def test_what_names_no_account_counts_by_address_alone(typed: str) -> None:
    app = app_with(limited("d", by_account="1 per hour", by_address="2 per hour"))

    assert [send(app, typed) for _ in range(3)] == [200, 200, 429]


def test_opening_the_form_does_not_count() -> None:
    app = app_with(limited("e", by_address="1 per hour"))
    client = app.test_client()

    assert [client.get("/try").status_code for _ in range(3)] == [200, 200, 200]


def test_signed_in_account_is_limited_where_the_form_names_none() -> None:
    app = app_with(limited("f", by_account="2 per hour", field=None))

    answers = []
    for number in range(3):
        client = app.test_client()
        with client.session_transaction() as session:
            session["account"] = 7
        sent = client.post("/try", headers={"X-Forwarded-For": f"203.0.113.{number}"})
        answers.append(sent.status_code)

    assert answers == [200, 200, 429]


def test_who_succeeds_is_not_counted_where_only_failures_are() -> None:
    app = app_with(limited("g", by_account="2 per hour", failures_only=True))

    successes = [send(app, "ada@example.org", status=SEE_OTHER) for _ in range(5)]
    failures = [send(app, "ada@example.org", status=422) for _ in range(3)]

    assert successes == [SEE_OTHER] * 5
    assert failures == [422, 422, 429]


def test_guess_that_is_right_comes_too_late_after_too_many_wrong_ones() -> None:
    app = app_with(limited("h", by_account="2 per hour", failures_only=True))
    for _ in range(2):
        send(app, "ada@example.org", status=422)

    assert send(app, "ada@example.org", status=SEE_OTHER) == 429


def test_our_own_failure_is_not_theirs() -> None:
    app = app_with(limited("i", by_account="1 per hour", failures_only=True))

    answers = [send(app, "ada@example.org", status=status) for status in (503, 422, 422)]

    assert answers == [503, 422, 429]


def test_being_refused_as_an_account_does_not_count_for_the_address() -> None:
    app = app_with(
        limited("j", by_account="1 per hour", by_address="2 per minute", failures_only=True)
    )
    send(app, "ada@example.org", status=422)
    refused = [send(app, "ada@example.org", status=422) for _ in range(5)]

    assert refused == [429] * 5
    assert send(app, "eve@example.org", status=422) == 422


def test_site_counts_these_requests_too() -> None:
    app = app_with(limited("k"))

    assert send(app, "ada@example.org") == 200
    left = app.test_client().get("/api/v1/status", headers={"X-Forwarded-For": "203.0.113.9"})
    assert '"site-hour";r=998;' in left.headers["RateLimit"]


def test_no_address_of_an_account_goes_to_the_log_or_the_store() -> None:
    app = app_with(limited("l", by_account="1 per hour"))
    send(app, "ada@example.org")

    with capture_logs() as lines:
        send(app, "ada@example.org")

    (line,) = [line for line in lines if line["event"] == "rate limit exceeded"]
    assert line["rule"] == "l by account"
    assert re.fullmatch(r"account [0-9a-f]{32}", line["who"])


def test_hash_of_an_account_is_another_with_another_secret_key() -> None:
    seen = set()
    for key in ("a" * 32, "b" * 32):
        app = app_with(limited("m", by_account="1 per hour"), secret_key=key)
        with capture_logs() as lines:
            send(app, "ada@example.org")
            send(app, "ada@example.org")
        seen |= {line["who"] for line in lines if line["event"] == "rate limit exceeded"}

    assert len(seen) == 2


@pytest.mark.parametrize(
    ("rule", "first_refused"),
    [
        (rules.sign_in, 11),
        (rules.sign_up, 4),
        (rules.reset, 4),
        (rules.subscribe, 4),
        (rules.resend, 4),
    ],
)
def test_named_rules_limit_an_account(rule: Callable[..., object], first_refused: int) -> None:
    def view() -> Response:
        return answer()

    view.__qualname__ = f"named_{id(rule)}"
    app = app_with(rule(view))  # type: ignore[arg-type] # the decorator keeps the type

    answers = [send(app, "ada@example.org", address=f"203.0.113.{n}") for n in range(first_refused)]

    assert answers == [200] * (first_refused - 1) + [429]


def test_subscribing_has_a_tighter_limit_than_the_site() -> None:
    client = an_app(ratelimit_default="100 per hour").test_client()
    fields = {"csrf_token": form_token(client.get("/subscribe")), "email": "no address"}

    statuses = [client.post("/subscribe", data=fields).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]
    assert client.get("/subscribe").status_code == 200
