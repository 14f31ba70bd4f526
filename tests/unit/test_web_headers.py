"""Headers on every answer: the tests go through the URL map, so a new route is covered as it is added."""

import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string, session
from werkzeug.routing import AnyConverter, Rule
from werkzeug.test import TestResponse

from tests.conftest import ROOT
from tests.session_app import PRODUCTION
from tests.web_app import an_app
from web.exchange.headers import ONE_YEAR, POLICY

INLINE = re.compile(
    r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc=)(?![^>]*nonce=)",
    re.IGNORECASE,
)


@pytest.fixture(scope="module", params=["development", "production"])
def app(request: pytest.FixtureRequest) -> Flask:
    given = PRODUCTION if request.param == "production" else {}
    return an_app(ratelimit_enabled=False, **given)


def path_of(app: Flask, rule: Rule) -> str:
    """Return an address of this rule, with something in the place of what varies."""
    converters = rule._converters  # noqa: SLF001 the only way to what may stand there
    values = {
        name: min(converter.items) if isinstance(converter, AnyConverter) else 1
        for name, converter in converters.items()
    }
    return app.url_map.bind("").build(rule.endpoint, values)


def answers(app: Flask) -> list[tuple[str, TestResponse]]:
    """Return what every rule answers to every method that it takes."""
    base = app.config["BASE_URL"]
    client = app.test_client()
    return [
        (
            f"{method} {rule.rule}",
            client.open(path_of(app, rule), method=method, base_url=base, buffered=True),
        )
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods or ())
    ]


def test_every_answer_of_every_route_has_the_headers(app: Flask) -> None:
    for route, answer in answers(app):
        sent = answer.headers
        policy = re.sub(r" 'nonce-[\w-]+'", "", sent["Content-Security-Policy"])
        assert "default-src 'none'" in policy, route
        assert "frame-ancestors 'none'" in policy, route
        assert "unsafe" not in policy, route
        assert "*" not in policy, route
        assert sent["X-Content-Type-Options"] == "nosniff", route
        assert sent["Referrer-Policy"] == "same-origin", route
        assert sent["Cross-Origin-Opener-Policy"] == "same-origin", route
        assert sent["Cross-Origin-Resource-Policy"] == "same-origin", route
        assert "camera=()" in sent["Permissions-Policy"], route
        assert sent["Cache-Control"], route


def test_only_production_asks_for_https_from_now_on(app: Flask) -> None:
    production = bool(app.config["HTTPS_ONLY"])
    expected = f"max-age={ONE_YEAR}" if production else None

    for route, answer in answers(app):
        assert answer.headers.get("Strict-Transport-Security") == expected, route


def test_no_answer_with_a_cookie_may_be_kept_by_a_cache(app: Flask) -> None:
    for route, answer in answers(app):
        if "Set-Cookie" in answer.headers or "Cookie" in answer.headers.get("Vary", ""):
            assert answer.headers["Cache-Control"] == "private, no-store", route


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/static/nothing"])
def test_what_is_not_there_has_them_too(app: Flask, path: str) -> None:
    sent = app.test_client().get(path).headers

    assert sent["Content-Security-Policy"] == POLICY
    assert sent["Cache-Control"] == "no-store"


def test_page_is_cacheable_by_others_only_if_nobody_looked_into_the_session(tmp_path: Path) -> None:
    def neutral() -> tuple[str, dict[str, str]]:
        return "ok", {"Cache-Control": "public, max-age=60"}

    def personal() -> tuple[str, dict[str, str]]:
        return str(session.get("name")), {"Cache-Control": "public, max-age=60"}

    app = an_app(session_file_dir=tmp_path, ratelimit_enabled=False)
    app.add_url_rule("/neutral", "neutral", neutral)
    app.add_url_rule("/personal", "personal", personal)
    client = app.test_client()

    kept, personal_answer = client.get("/neutral").headers, client.get("/personal").headers

    assert (kept["Cache-Control"], "Vary" in kept) == ("public, max-age=60", False)
    assert personal_answer["Cache-Control"] == "private, no-store"
    assert personal_answer["Vary"] == "Cookie"


def test_page_with_a_cookie_of_its_own_is_kept_by_nobody() -> None:
    def view() -> tuple[str, dict[str, str]]:
        return "ok", {"Cache-Control": "public, max-age=60", "Set-Cookie": "theme=dark"}

    app = an_app(ratelimit_enabled=False)
    app.add_url_rule("/view", "view", view)

    assert app.test_client().get("/view").headers["Cache-Control"] == "private, no-store"


def test_asking_whether_a_key_is_in_the_session_makes_the_page_personal() -> None:
    def view() -> str:
        return str("name" in session)

    app = an_app(ratelimit_enabled=False)
    app.add_url_rule("/view", "view", view)

    sent = app.test_client().get("/view").headers

    assert (sent["Vary"], sent["Cache-Control"]) == ("Cookie", "private, no-store")


def test_nonce_is_in_policy_and_page_and_is_another_each_time() -> None:
    def view() -> tuple[str, dict[str, str]]:
        page = render_template_string("{{ csp_nonce() }} {{ csp_nonce() }}")
        return page, {"Cache-Control": "public, max-age=60"}

    app = an_app(ratelimit_enabled=False)
    app.add_url_rule("/view", "view", view)
    client = app.test_client()

    first, second = client.get("/view"), client.get("/view")

    nonce, again = first.text.split()
    assert nonce == again
    assert f"script-src 'self' 'nonce-{nonce}';" in first.headers["Content-Security-Policy"]
    assert nonce not in second.text
    assert first.headers["Cache-Control"] == "private, no-store"
    assert "nonce-" not in client.get("/nowhere").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    sorted(p for p in (ROOT / "web/templates").rglob("*.html") if "mail" not in p.parts),
    ids=lambda path: path.name,
)
def test_page_has_no_inline_script_style_or_handler(path: Path) -> None:
    found = INLINE.findall(path.read_text(encoding="utf-8"))

    assert found == []


@pytest.mark.parametrize(
    ("markup", "forbidden"),
    [
        ("<style>p{}</style>", True),
        ('<p style="x">', True),
        ("<p onclick='x()'>", True),
        ("<script>x()</script>", True),
        ('<a href="javascript:x()">', True),
        ('<script src="x.js"></script>', False),
        ('<script nonce="{{ csp_nonce() }}">x()</script>', False),
        ('<link rel="stylesheet" href="x.css"><button name="only">', False),
    ],
)
def test_the_check_of_templates_sees_what_the_policy_forbids(markup: str, forbidden: bool) -> None:
    assert bool(INLINE.search(markup)) is forbidden
