"""The console's pages: for operators alone, small, and from few statements."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from common import presence
from common.schema import backup_targets, backups, mail_gates
from tests.integration.account_site import ADA, Site
from tests.integration.postgres import Database
from tests.integration.queries import counted
from web.console import facts
from web.console.site import NAVIGATION
from web.extensions import db

BOSS = "boss@example.org"
PAGES = [
    "/console",
    "/console/people",
    "/console/people/1",
    "/console/people/sign-ins",
    "/console/people/invitations",
    "/console/limits",
    "/console/cache",
    "/console/database",
    "/console/configuration",
    "/console/audit-log",
]
MOST_QUERIES = 4
MOST_BYTES = 100_000
NOW = datetime.now(UTC)


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


@pytest.mark.parametrize("path", [*PAGES, "/console/audit-log/export"])
def test_page_is_not_there_for_members_and_nobody_is_sent_to_sign_in(site: Site, path: str) -> None:
    assert site.signed_in(ADA).get(path).status_code == 404
    assert site.browser().get(path).status_code == 303


@pytest.mark.parametrize("path", PAGES)
def test_page_is_small_and_comes_from_few_statements(
    site: Site, boss: FlaskClient, path: str
) -> None:
    with counted(site.app) as sent:
        answer = boss.get(path)

    assert answer.status_code == 200, answer.text
    assert len(sent) <= MOST_QUERIES, sent
    assert len(answer.data) < MOST_BYTES
    assert "<h1" in answer.text


def test_page_of_the_navigation_says_that_it_is_shown(site: Site, boss: FlaskClient) -> None:
    with site.app.test_request_context():
        paths = [site.app.url_for(page.endpoint) for page in NAVIGATION]

    for path in paths:
        assert f'<a href="{path}" aria-current="page">' in boss.get(path).text


def beat(site: Site, **troubles: str | None) -> None:
    """Have both parts seen just now, with these troubles."""
    for part in ("mailer", "backup"):
        with site.database.engine(part).begin() as connection:
            presence.record(connection, part, datetime.now(UTC), troubles.get(part))


def test_overview_says_that_nothing_is_wrong_and_since_when(site: Site, boss: FlaskClient) -> None:
    beat(site)
    site.account(ADA, "operator")
    site.do("INSERT INTO probes VALUES ('Mail', '2027-01-02 03:04Z', 'up')")

    page = boss.get("/console").text

    assert "<h1>Nothing is wrong</h1>" in page
    assert '<time datetime="2027-01-02T03:04:00+00:00">' in page
    assert '<ul class="findings">' not in page


def test_overview_counts_the_time_from_when_a_part_was_last_not_up(
    site: Site, boss: FlaskClient
) -> None:
    beat(site)
    site.do(
        "INSERT INTO probe_days VALUES ('Mail', '2027-01-02', 1440, 0, 0), ('Mail', '2027-01-03', 0, 0, 7)"
    )

    page = boss.get("/console").text

    assert '<time datetime="2027-01-04T00:00:00+00:00">' in page


def test_overview_shows_what_is_wrong_with_what_to_do(site: Site, boss: FlaskClient) -> None:
    beat(site, backup="overdue: the last is from Monday")
    site.do(
        "INSERT INTO mail_gates (name, cause, reason) VALUES ('relay', 'server', 'no <answer>')"
    )
    site.do(
        "INSERT INTO limit_breaches (minute, route, rule, who, address, request_id, times)"
        " VALUES (date_trunc('minute', now()), 'sign_in.submit', 'sign-in by address', 'a', 'a', 'r', 99)"
    )

    page = boss.get("/console").text

    assert "<h1>Something needs you</h1>" in page
    assert "Mail is held back: relay" in page
    assert "no &lt;answer&gt;" in page
    assert "overdue: the last is from Monday" in page
    assert "99 requests were refused within the hour" in page
    assert 'href="/console/limits"' in page
    assert "There is one operator only" in page


def test_mail_that_was_given_up_is_one_click_away(site: Site, boss: FlaskClient) -> None:
    beat(site)
    mail = (
        "INSERT INTO outbox (state, kind, sender, recipient, subject, message_id, due_at, done_at)"
    )
    for state in ("dead", "unsure"):
        site.do(
            f"{mail} VALUES ('{state}', 'k', 's', 'r', 'About {state}', '{state}', now(), now())"
        )

    page = boss.get("/console").text

    for state in ("dead", "unsure"):
        place = f"/console/mail/messages?state={state}"
        assert f'href="{place}"' in page
        assert f"About {state}" in boss.get(place).text


def test_every_fact_is_read_from_its_table(site: Site, boss: FlaskClient) -> None:
    del boss
    beat(site)
    with site.database.engine("owner").begin() as connection:
        connection.execute(
            insert(backups),
            [
                {
                    "id": "1",
                    "state": "proven",
                    "started_at": NOW.replace(hour=1),
                    "kind": "logical",
                },
                {
                    "id": "2",
                    "state": "failed",
                    "started_at": NOW.replace(hour=2),
                    "kind": "logical",
                },
                {"id": "3", "state": "stored", "started_at": NOW.replace(hour=3), "kind": "base"},
            ],
        )
        connection.execute(
            insert(backup_targets),
            [
                {
                    "name": name,
                    "location": "",
                    "off_site": False,
                    "seen_at": NOW,
                    "trouble": trouble,
                }
                for name, trouble in (("local", None), ("sftp", "no route"))
            ],
        )
        connection.execute(
            insert(mail_gates).values(name="pause", cause="operator", reason="a test", since=NOW)
        )
    mail = "INSERT INTO outbox (state, kind, sender, recipient, subject, message_id, due_at, done_at, attempts)"
    site.do(
        f"{mail} VALUES ('queued', 'k', 's', 'r', '', '1', now() - interval '1 hour', NULL, 0),"
        " ('queued', 'k', 's', 'r', '', '2', now() - interval '2 hours', NULL, 1),"
        " ('dead', 'k', 's', 'r', '', '3', now(), now(), 9),"
        " ('dead', 'k', 's', 'r', '', '4', now(), now() - interval '2 days', 9),"
        " ('unsure', 'k', 's', 'r', '', '5', now(), now() - interval '2 days', 1)"
    )
    site.do("INSERT INTO jobs (part, verb) VALUES ('backup', 'take')")
    site.do("INSERT INTO notices (kind, title, created_at) VALUES ('incident', 'x', '2027-01-01Z')")

    with site.app.app_context():
        found = facts.read(db.session())

    assert found.revision == found.head
    assert found.beats.keys() == {"mailer", "backup"}
    assert [(gate.name, gate.reason) for gate in found.gates] == [("pause", "a test")]
    assert found.oldest_due_at
    assert timedelta(hours=2) <= found.at - found.oldest_due_at < timedelta(hours=3)
    assert (found.dead_lately, found.unsure) == (1, 1)
    assert found.failed_backups == ["logical"]
    assert [(target.name, target.trouble) for target in found.targets] == [("sftp", "no route")]
    assert found.job
    assert found.job.part == "backup"
    assert (found.operators, found.drafts, found.invitations) == (1, 1, 0)
    assert found.most_connections == 30
