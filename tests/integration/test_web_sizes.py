"""Every page is small and comes from few statements, also where its lists are full and its texts long."""

import json
import re
from email.message import EmailMessage
from html import unescape

import pytest
from flask.testing import FlaskClient

from mailer.operator import preview
from tests.integration.account_site import Site
from tests.integration.full_site import FULL
from tests.integration.postgres import Database
from tests.integration.queries import counted
from web.extensions import cache

BOSS = "boss@example.org"
PREVIEW = """
    INSERT INTO jobs (id, part, verb, arguments, state, ended_at, answer)
    VALUES (3, 'mailer', 'preview', '{"id": 60}', 'done', now(), CAST(:said AS jsonb))
"""
MOST_BYTES = 100_000
MOST_QUERIES = 4
CONSOLE = [
    "",
    "/audit-log",
    "/backups",
    "/backups/drills",
    "/backups/restore",
    "/backups/restore?at=20260101-000001",
    "/backups/runs",
    "/backups/runs/20260101-000001",
    "/backups/schema",
    "/cache",
    "/configuration",
    "/database",
    "/jobs/1",
    "/jobs/2",
    "/limits",
    "/mail",
    "/mail/messages",
    "/mail/messages/60",
    "/mail/previews/3",
    "/mail/suppressions",
    "/notices",
    "/notices/59",
    "/notices/59/mail",
    "/notices/59/updates/59",
    "/notices/61",
    "/notices/61/edit",
    "/notices/new",
    "/people",
    "/people/1",
    "/people/invitations",
    "/people/sign-ins",
]
PUBLIC = ["/", "/history", "/notices", "/notices/59", "/account/sessions", "/api/v1/docs"]
DOWNLOADS = {"console.audit_log.export", "console.jobs.events", "console.notice_updates.events"}
PATHS = [f"/console{path}" for path in CONSOLE] + PUBLIC


def a_long_mail() -> bytes:
    """Return a mail of which everything is long."""
    mail = EmailMessage()
    for number in range(100):
        mail[f"X-Header-{number}"] = "words " * 500
    mail.set_content("words " * 50_000)
    mail.add_alternative('<p style="color: red" title="words">words</p>' * 5_000, subtype="html")
    return mail.as_bytes()


@pytest.fixture
def boss(database: Database, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    site = Site(database, monkeypatch)
    browser = site.signed_in(BOSS, "operator")
    for statements in FULL:
        site.do(statements)
    site.do(PREVIEW, said=json.dumps(preview.of(a_long_mail())))
    return browser


def test_every_page_is_small_and_comes_from_few_statements(boss: FlaskClient) -> None:
    heavy = {}
    for path in PATHS:
        with boss.application.app_context():
            cache.clear()
        with counted(boss.application) as sent:
            answer = boss.get(path)
        assert answer.status_code == 200, (path, answer.text)
        if len(sent) > MOST_QUERIES or len(answer.data) >= MOST_BYTES:
            heavy[path] = (len(answer.data), sent)

    assert heavy == {}


def test_no_page_of_the_console_is_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = Site(database, monkeypatch).app.url_map
    asked = {pages.bind("localhost").match(path.partition("?")[0])[0] for path in PATHS}

    there = {
        rule.endpoint
        for rule in pages.iter_rules()
        if rule.rule.startswith("/console") and "GET" in (rule.methods or ())
    }

    assert there - DOWNLOADS - asked == set()


def test_what_a_notice_said_before_is_on_further_pages(boss: FlaskClient) -> None:
    told, path = 0, "/notices/59"
    while path:
        page = boss.get(path).text
        told += page.count("<h2>")
        found = re.search(r'href="([^"]+)">What was said before', page)
        path = unescape(found[1]) if found else ""

    assert told == 41
