"""How the database looks for what pages tell of mail: never by reading the whole outbox."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from mailer.upkeep.tallies import count_what_is_over
from tests.integration.account_site import Site
from tests.integration.console_pages import BOSS, MAIL
from tests.integration.postgres import Database
from web.extensions import db

# A year's worth of a small site: most of it sent long ago, some of each other state, all of each age.
MAILS = """
    INSERT INTO outbox (state, kind, priority, sender, recipient, subject, message_id, attempts, due_at,
                        created_at, first_try_at, done_at)
    SELECT state, kind, priority, 'us@example.org', 'reader-' || n || '@host-' || n % 97 || '.example', 'hello',
           '<' || n || '@example.org>', attempts, at, at, at, CASE WHEN state <> 'queued' THEN at + interval '3 s' END
      FROM (SELECT n, now() - interval '90 days' * (1 - n / 60000.0) AS at,
                   CASE WHEN n % 500 = 0 THEN 'dead' WHEN n % 501 = 0 THEN 'unsure' WHEN n % 400 = 0 THEN 'cancelled'
                        WHEN n % 300 = 0 THEN 'queued' ELSE 'sent' END AS state,
                   CASE WHEN n % 9999 = 0 THEN 'account_deleted' WHEN n % 3 = 0 THEN 'confirm'
                        ELSE 'notice' END AS kind,
                   n % 9 + 1 AS priority, n % 2 AS attempts
              FROM generate_series(1, 60000) AS n) AS made
"""


SUPPRESSIONS = """
    INSERT INTO mail_suppressions (address, scope, reason)
    SELECT n || '@x.example', '*', '' FROM generate_series(1, 5000) AS n
"""
PATHS = (
    "",
    "/messages",
    "/messages?before=30000",
    "/messages?state=dead",
    "/messages?state=dead&before=30000",
    "/messages?state=queued",
    "/messages?kind=account_deleted",
    "/messages?kind=confirm&state=queued",
    "/messages?state=sent",
    "/messages?q=@host-7.example&state=dead",
    "/messages?q=reader-77@host-77.example",
    "/messages?q=@host-7.example",
    "/messages?q=<77@example.org>",
    "/messages/30000",
    "/suppressions",
    "/suppressions?q=77",
    "/suppressions?after=77@x.example&scope=*",
)
WHOLE = re.compile(
    r"Seq Scan on (outbox|mail_suppressions)"
    r"|outbox_(body|recipient|message)_index .*\n(?! *Index Cond: \(\(?(body_id|reverse|message_id))"  # all of an index
)


@pytest.fixture
def boss(database: Database, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    site = Site(database, monkeypatch)
    site.do(MAILS)
    site.do(SUPPRESSIONS)
    count_what_is_over(database.engine("mailer"))
    site.do("ANALYZE")
    return site.signed_in(BOSS, "operator")


def test_no_page_reads_the_whole_outbox(boss: FlaskClient, database: Database) -> None:
    pages = [*(MAIL + path for path in PATHS), "/console", "/"]
    asked = [one for page in pages for one in statements_of(boss, page)]

    assert len(asked) > len(PATHS)
    with database.engine("owner").connect() as connection:
        for statement, values in asked:
            explained = connection.exec_driver_sql(f"EXPLAIN {statement}", values)
            plan = "\n".join(explained.scalars())
            assert not WHOLE.search(plan), f"{statement}\n{plan}"


def statements_of(browser: FlaskClient, path: str) -> list[tuple[str, Any]]:
    """Return what the database is asked for this page."""
    found: list[tuple[str, Any]] = []
    with browser.application.app_context():
        engine = db.engine

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        found.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    answer = browser.get(path)
    event.remove(engine, "before_cursor_execute", note)
    assert answer.status_code == 200, answer.text
    return [one for one in found if "outbox" in one[0] or "mail_suppressions" in one[0]]
