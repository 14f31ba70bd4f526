"""What every page has in common. There is no database here, and no page but `/` needs one to be shown."""

import pytest
from sqlalchemy.exc import ProgrammingError
from structlog.testing import capture_logs

from tests.session_app import PRODUCTION
from tests.web_app import an_app, form_token, send_form


def test_alive_without_a_database() -> None:
    answer = an_app().test_client().get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_not_ready_without_a_database_and_says_so() -> None:
    answer = an_app().test_client().get("/readyz")

    assert answer.status_code == 503
    checks = answer.json["checks"] if answer.json else {}
    assert {name: check["ok"] for name, check in checks.items()} == {
        "database": False,
        "schema": False,
        "sessions": True,
    }
    assert checks["database"]["problem"] == "no answer (OperationalError)"
    assert all(check["ms"] >= 0 for check in checks.values())


def test_database_away_is_a_page_that_says_when_to_come_back() -> None:
    with capture_logs() as lines:
        answer = an_app().test_client().get("/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "We can&#39;t reach our database just now" in answer.text
    (line,) = [line for line in lines if line["event"] == "database away"]
    assert "/nonexistent" in line["reason"]


def test_database_away_does_not_log_what_was_typed() -> None:
    with capture_logs() as lines:
        answer = send_form(an_app().test_client(), "/subscribe", email="ada@example.org")

    assert answer.status_code == 503
    assert "ada@example.org" not in str(lines)


def test_database_away_is_json_under_the_api() -> None:
    answer = an_app().test_client().get("/api/v1/status")

    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.json
    assert (answer.json["status"], answer.json["title"]) == (503, "Service Unavailable")


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        pytest.param("GET", "/nowhere", 404, "no page at this address", id="unknown"),
        pytest.param("DELETE", "/subscribe", 405, "this kind of request", id="method"),
        pytest.param("POST", "/subscribe", 400, "too old", id="form without token"),
    ],
)
def test_error_is_a_page_of_the_same_design(method: str, path: str, status: int, said: str) -> None:
    answer = an_app().test_client().open(path, method=method)

    assert answer.status_code == status
    assert said in answer.text
    assert "Keelson</a>" in answer.text
    assert answer.headers["X-Request-ID"] in answer.text


def test_error_is_problem_details_under_the_api() -> None:
    answer = an_app().test_client().post("/api/v1/status", data={})

    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert answer.headers["Allow"]


def test_more_than_a_form_holds_is_refused_unread() -> None:
    client = an_app().test_client()

    answer = client.post("/subscribe", data={"email": "x" * 70_000})

    assert answer.status_code == 413
    assert "more than we take" in answer.text


def test_our_own_mistake_is_a_page_and_a_traceback_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> str:
        return str(1 / 0)

    app = an_app()
    app.add_url_rule("/broken", "broken", broken)

    answer = app.test_client().get("/broken")

    assert answer.status_code == 500
    assert "has been logged" in answer.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("path", ["/broken", "/api/broken"])
def test_our_own_mistake_in_a_statement_is_told_apart_from_a_database_that_is_away(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise ProgrammingError("SELECT nothing", None, Exception("no such column"))

    app = an_app()
    app.add_url_rule(path, "broken", broken)

    answer = app.test_client().get(path)

    assert answer.status_code == 500
    assert "has been logged" in answer.text
    assert answer.headers["X-Request-ID"]
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info
    assert record.exc_info[0] is ProgrammingError


def test_browser_that_asks_for_an_icon_by_its_old_name_gets_it() -> None:
    client = an_app(ratelimit_default="1 per day").test_client()

    answers = [client.get("/favicon.ico", buffered=True) for _ in range(3)]

    assert {(answer.status_code, answer.mimetype) for answer in answers} == {(200, "image/svg+xml")}
    assert answers[0].headers["Cache-Control"] == "public, max-age=3600"
    assert "Set-Cookie" not in answers[0].headers


def test_page_has_nothing_that_the_policy_forbids() -> None:
    page = an_app().test_client().get("/subscribe").text

    assert "<script" not in page
    assert "style=" not in page
    assert "://" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("typed", "said", "kept"),
    [
        pytest.param("", "Please write your e-mail address", 'value=""', id="nothing"),
        pytest.param("ada", "not an e-mail address", 'value="ada"', id="no host"),
        pytest.param('"><b>', "not an e-mail", 'value="&#34;&gt;&lt;b&gt;"', id="markup"),
        pytest.param("a@b.c\r\nBcc: x@y.z", "not an e-mail", "Bcc: x@y.z", id="header"),
        pytest.param("x" * 10_000, "at most 254", f'value="{"x" * 254}"', id="10 kB"),
    ],
)
def test_bad_address_comes_back_with_the_reason_beside_it(typed: str, said: str, kept: str) -> None:
    answer = send_form(an_app().test_client(), "/subscribe", email=typed)

    assert answer.status_code == 422
    assert '<p class="error" id="email-error">' in answer.text
    assert said in answer.text
    assert kept in answer.text
    assert 'aria-describedby="email-error"' in answer.text


def test_form_of_another_visitor_is_not_taken() -> None:
    app = an_app()
    stolen = form_token(app.test_client().get("/subscribe"))
    victim = app.test_client()
    victim.get("/subscribe")

    answer = victim.post("/subscribe", data={"csrf_token": stolen, "email": "ada@example.org"})

    assert answer.status_code == 400


def test_production_has_no_development_inbox() -> None:
    routes = [rule for rule in an_app().url_map.iter_rules() if rule.rule.startswith("/dev/")]
    production = an_app(**PRODUCTION).test_client()

    answers = {
        f"{method} {rule.rule}": production.open(
            rule.rule.replace("<int:mail_id>", "1"), method=method
        )
        for rule in routes
        for method in sorted((rule.methods or set()) | {"GET", "POST"})
    }

    assert len(routes) >= 6
    assert {route: answer.status_code for route, answer in answers.items()} == dict.fromkeys(
        answers, 404
    )
    assert "/dev/inbox" not in production.get("/subscribe").text
