import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from tests.web_app import an_app
from web.limits.who import network, of_address


def ask(client: FlaskClient, path: str, address: str = "203.0.113.9") -> TestResponse:
    return client.get(path, headers={"X-Forwarded-For": address})


def statuses(client: FlaskClient, *paths: str, **headers: str) -> list[int]:
    codes = []
    for path in paths:
        with client.get(path, headers=headers) as answer:  # closed, as some are files
            codes.append(answer.status_code)
    return codes


def sign_in(client: FlaskClient, account: int) -> None:
    with client.session_transaction() as session:
        session["account"] = account


def breaches(route: str, rule: str) -> float:
    labels = {"route": route, "rule": rule}
    return REGISTRY.get_sample_value("keelson_rate_limit_breaches_total", labels) or 0


def test_pages_share_one_limit_per_address() -> None:
    client = an_app(ratelimit_default="3 per hour", trusted_proxies=1).test_client()

    paths = ["/subscribe", "/subscribe/asked", "/subscribe/confirmed", "/subscribe"]
    answers = [ask(client, path).status_code for path in paths]

    assert answers == [200, 200, 200, 429]
    assert ask(client, "/subscribe", address="203.0.113.10").status_code == 200


def test_default_is_fifty_an_hour() -> None:
    client = an_app().test_client()

    assert statuses(client, *["/subscribe/asked"] * 51) == [200] * 50 + [429]


def test_address_that_edge_did_not_see_changes_nothing() -> None:
    client = an_app(ratelimit_default="2 per hour", trusted_proxies=1).test_client()

    forged = [f"198.51.100.{number}, 203.0.113.9" for number in range(3)]
    answers = [ask(client, "/subscribe", address=list_).status_code for list_ in forged]

    assert answers == [200, 200, 429]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        pytest.param("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", True, id="one network"),
        pytest.param("2001:db8:1:2::3", "2001:db8:1:3::3", False, id="another network"),
        pytest.param("::ffff:203.0.113.9", "203.0.113.9", True, id="IPv4 written as IPv6"),
        pytest.param("::ffff:203.0.113.9", "::ffff:203.0.113.8", False, id="another IPv4 so"),
    ],
)
def test_ipv6_counts_by_the_network_that_one_customer_is_given(
    first: str, second: str, *, together: bool
) -> None:
    client = an_app(ratelimit_default="1 per hour", trusted_proxies=1).test_client()

    answers = [ask(client, "/subscribe", address=one).status_code for one in (first, second)]

    assert answers == [200, 429 if together else 200]


@given(st.text() | st.ip_addresses().map(str))
def test_whatever_a_proxy_calls_an_address_is_a_short_key(address: str) -> None:
    assert len(network(address)) <= 64


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/nowhere", 404, id="unknown address"),
        pytest.param("DELETE", "/subscribe", 405, id="method that the page does not take"),
        pytest.param("HEAD", "/subscribe", 200, id="only the headers"),
        pytest.param("OPTIONS", "/subscribe", 200, id="options that no browser asked for"),
    ],
)
def test_everything_else_counts_like_a_page(method: str, path: str, status: int) -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()

    answers = [client.open(path, method=method).status_code for _ in range(2)]

    assert answers == [status, 429]


PREFLIGHT = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "GET"}


def test_preflight_does_not_count() -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()

    answers = [client.options("/api/v1/status", headers=PREFLIGHT) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert client.get("/subscribe").status_code == 200


def test_preflight_of_what_is_not_there_counts() -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()

    answers = [client.options("/nowhere", headers=PREFLIGHT).status_code for _ in range(2)]

    assert answers == [404, 429]


def test_who_is_signed_in_counts_by_account_wherever_they_are() -> None:
    app = an_app(ratelimit_default="1 per hour", ratelimit_signed_in="3 per hour")
    browsers = [app.test_client() for _ in range(2)]
    for browser in browsers:
        sign_in(browser, account=7)

    answers = [statuses(browser, "/subscribe", "/subscribe", "/nowhere") for browser in browsers]

    assert answers == [[200, 200, 404], [429, 429, 429]]
    assert statuses(app.test_client(), "/subscribe") == [200]


def test_made_up_session_counts_by_address() -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()

    answers = []
    for number in range(2):
        client.set_cookie("session", f"made-up-{number}")
        answers.append(client.get("/subscribe").status_code)

    assert answers == [200, 429]


def test_public_page_stays_the_same_for_who_is_signed_in() -> None:
    client = an_app().test_client()
    sign_in(client, account=7)

    assert "Cookie" not in client.get("/subscribe/asked").headers.get("Vary", "")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/static/no", "/favicon.ico"])
def test_machines_and_files_do_not_count_as_pages(path: str) -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()

    answers = statuses(client, *[path] * 3)

    assert 429 not in answers
    assert client.get("/subscribe").status_code == 200


@pytest.mark.parametrize(("path", "number"), [("/healthz", 600), ("/static/no", 1200)])
def test_machines_and_files_have_limits_of_their_own(path: str, number: int) -> None:
    client = an_app().test_client()

    answers = statuses(client, *[path] * (number + 1))

    assert 429 not in answers[:number]
    assert answers[number] == 429


def test_development_inbox_is_not_counted() -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()

    assert 429 not in statuses(client, *["/dev/inbox"] * 3)


def test_breach_says_when_to_come_back_and_is_logged_and_counted() -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()
    client.get("/subscribe")
    before = breaches("subscribe.form", "site")

    with capture_logs(processors=[merge_contextvars]) as lines:
        answer = client.get("/subscribe", headers={"X-Request-ID": "some-request"})

    assert answer.status_code == 429
    assert 3590 <= int(answer.headers["Retry-After"]) <= 3600
    assert "more often than we can serve" in answer.text
    (line,) = [line for line in lines if line["event"] == "rate limit exceeded"]
    assert line == {
        "event": "rate limit exceeded",
        "log_level": "warning",
        "limit": "1 per 1 hour",
        "rule": "site",
        "route": "subscribe.form",
        "who": "127.0.0.1",
        "address": "127.0.0.1",
        "request_id": "some-request",
    }
    assert breaches("subscribe.form", "site") == before + 1


def test_refusal_has_the_rate_limit_headers() -> None:
    client = an_app(ratelimit_default="100 per 2 days;1 per hour").test_client()
    client.get("/subscribe")

    sent = client.get("/subscribe").headers

    assert sent["RateLimit-Policy"] == '"site-hour";q=1;w=3600'
    name, remaining, wait = sent["RateLimit"].split(";")
    assert (name, remaining) == ('"site-hour"', "r=0")
    assert int(wait.removeprefix("t=")) == int(sent["Retry-After"])


def test_answer_of_the_api_tells_what_remains() -> None:
    client = an_app(ratelimit_default="100 per 2 days;10 per hour").test_client()
    client.get("/subscribe")

    sent = client.get("/api/v1/status").headers

    assert sent["RateLimit-Policy"] == '"site-hour";q=10;w=3600, "site-2-day";q=100;w=172800'
    states = [state.split(";")[:2] for state in sent["RateLimit"].split(", ")]
    assert states == [['"site-hour"', "r=8"], ['"site-2-day"', "r=98"]]


def test_page_has_no_such_headers() -> None:
    sent = an_app().test_client().get("/subscribe").headers

    assert not {"RateLimit", "RateLimit-Policy", "Retry-After"} & set(sent.keys())


def test_breach_is_problem_details_under_the_api() -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()
    client.get("/subscribe")

    answer = client.get("/api/v1/status")

    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
    assert answer.headers["Retry-After"]


def test_refused_request_does_not_make_the_wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    client = an_app(ratelimit_default="1 per hour").test_client()
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    client.get("/subscribe")
    monkeypatch.setattr("time.time", lambda: 1_000_000.0 + 3599)
    assert statuses(client, "/subscribe") == [429]

    monkeypatch.setattr("time.time", lambda: 1_000_000.0 + 3601)

    assert statuses(client, "/subscribe") == [200]


def test_window_moves_so_that_its_edge_lets_no_second_lot_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = an_app(ratelimit_default="2 per hour").test_client()
    monkeypatch.setattr("time.time", lambda: 3600 * 400_000 - 1.0)
    assert statuses(client, "/subscribe", "/subscribe") == [200, 200]

    monkeypatch.setattr("time.time", lambda: 3600 * 400_000 + 1.0)

    assert statuses(client, "/subscribe") == [429]


def test_limits_can_be_switched_off() -> None:
    client = an_app(ratelimit_default="1 per hour", ratelimit_enabled=False).test_client()

    assert statuses(client, *["/subscribe"] * 3) == [200, 200, 200]


def test_port_that_a_proxy_writes_makes_no_other_client() -> None:
    assert of_address("203.0.113.7:4711") == of_address("203.0.113.7:4712") == "203.0.113.7"
