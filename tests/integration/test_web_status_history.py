"""The days on the page and in the API, and the notices on the page and in the feed, from real rows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, insert

from common.condition import PARTS
from tests.integration.measurements import put_a_year, put_day
from tests.integration.postgres import Database
from tests.web_app import an_app
from web.caching.extension import NAME
from web.extensions import db
from web.models import Notice, NoticeUpdate

ATOM = "{http://www.w3.org/2005/Atom}"
NOW = datetime.now(UTC)
LARGEST_PAGE = 100_000
MOST_QUERIES = 4


@pytest.fixture
def app(database: Database) -> Flask:
    """Return web's own, whose clock stands still: no test of days may run over midnight."""
    app = an_app(database_url=database.url("web"), ratelimit_enabled=False)
    app.extensions[NAME].clock = NOW.timestamp
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Give the statements that web sends to the database meanwhile."""
    with app.app_context():
        engine: Engine = db.engine
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def day_before(days: int) -> datetime:
    return NOW - timedelta(days=days)


def bars(page: str, part: str) -> list[tuple[str, str]]:
    """Return the classes and the words of a part's bars."""
    found = re.findall(rf'name="{part}" class="([^"]+)" aria-label="([^"]+)"', page)
    return [(classes, words) for classes, words in found]


def test_each_part_has_ninety_days_with_exact_words(
    client: FlaskClient, database: Database
) -> None:
    put_day(database, "Website", day_before(2).date(), up=1417, down=3)
    put_day(database, "Website", day_before(1).date(), up=1440)
    put_day(database, "Website", day_before(90).date(), down=1440)  # too long ago

    page = client.get("/").text

    shown = bars(page, "website")
    assert len(shown) == 90
    name = day_before(2).strftime("%-d %b")
    assert shown[-3] == (
        "degraded gap",
        f"{name}: 99.78 % up, 0.22 % down (3 min), 20 min not measured",
    )
    assert shown[-2][0] == "up"
    assert shown[0][1].endswith(": 1440 min not measured")
    assert {classes for classes, _ in shown[:-3]} == {"unknown"}
    assert {len(bars(page, part.lower())) for part in PARTS} == {90}


def test_each_parts_bars_are_one_stop_of_the_keyboard_with_today_chosen(
    client: FlaskClient,
) -> None:
    page = client.get("/").text

    assert page.count(" checked>") == len(PARTS)
    for part in PARTS:
        assert f'<legend class="unseen">{part}, day by day</legend>' in page


def test_table_says_the_same_for_who_cannot_see_the_bars(
    client: FlaskClient, database: Database
) -> None:
    put_day(database, "Mail", day_before(2).date(), up=1417, down=3)

    page = client.get("/history").text

    rows = re.findall(r'<tr><th scope="row">.*', page)
    assert len(rows) == 90
    assert f">{day_before(2).strftime('%-d %b %Y')}<" in rows[2]
    assert "<td>99.78 % up, 0.22 % down (3 min), 20 min not measured</td>" in rows[2]
    assert '<caption id="days">' in page
    assert all(f'<th scope="col">{part}</th>' in page for part in PARTS)


def test_api_has_every_day_in_minutes(client: FlaskClient, database: Database) -> None:
    put_day(database, "Edge", day_before(1).date(), up=1400, degraded=10, down=5)

    answer = client.get("/api/v1/status/history", headers={"Origin": "https://elsewhere.example"})

    assert answer.json
    edge = next(part for part in answer.json["parts"] if part["name"] == "Edge")
    assert [part["name"] for part in answer.json["parts"]] == list(PARTS)
    assert len(edge["days"]) == 90
    assert edge["days"][-2] == {
        "day": day_before(1).date().isoformat(),
        "up": 1400,
        "degraded": 10,
        "down": 5,
        "unmeasured": 25,
    }
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=5"


@pytest.mark.parametrize("path", ["/", "/history", "/api/v1/status/history"])
def test_with_a_year_of_the_worst_rows_a_page_is_few_queries_and_small(
    app: Flask, database: Database, path: str
) -> None:
    put_a_year(database)
    write_notices(database, *[f"Trouble number {number}" for number in range(12)])

    with counted(app) as statements:
        page = app.test_client().get(path)

    assert page.status_code == 200
    assert len(statements) <= MOST_QUERIES, statements
    assert len(page.data) < LARGEST_PAGE


def test_years_of_rows_are_read_by_their_indexes(database: Database) -> None:
    put_a_year(database)
    statement = (
        "EXPLAIN SELECT state, minute FROM probes WHERE part = 'Edge' ORDER BY minute DESC LIMIT 1"
    )
    with database.engine("web").connect() as connection:
        plan = "\n".join(connection.exec_driver_sql(statement).scalars())

    assert "Index" in plan
    assert "Seq Scan" not in plan


def write_notices(database: Database, *titles: str, **given: object) -> None:
    """Write published notices with one update each, a minute apart; `given` changes them."""
    with database.engine("owner").begin() as connection:
        for number, title in enumerate(titles):
            at = NOW - timedelta(hours=2) + timedelta(minutes=number)
            values = {"kind": "incident", "title": title, "created_at": at, "published_at": at}
            notice = connection.execute(
                insert(Notice).values(values | given).returning(Notice.id)
            ).scalar_one()
            words = f"Words of {title}"
            update = {
                "notice_id": notice,
                "state": "investigating",
                "words": words,
                "written_at": at,
            }
            connection.execute(insert(NoticeUpdate).values(update))


def test_open_notices_stand_above_the_parts_with_their_last_words(
    client: FlaskClient, database: Database
) -> None:
    write_notices(database, "Mail <is> slow")
    write_notices(database, "A draft", published_at=None)
    write_notices(database, "Long over", resolved_at=NOW)

    page = client.get("/").text

    assert "Mail &lt;is&gt; slow" in page
    assert page.index("Words of Mail") < page.index('class="parts"')
    assert "Investigating" in page
    assert "A draft" not in page
    assert "Long over" not in page


def test_feed_has_an_entry_for_each_update_of_what_is_published(
    client: FlaskClient, database: Database
) -> None:
    write_notices(database, "Mail is slow", "Disk & co\x01 <full>", resolved_at=NOW)
    write_notices(database, "A draft", published_at=None)

    answer = client.get("/feed.atom")

    feed = ET.fromstring(answer.data)  # noqa: S314 our own
    assert answer.mimetype == "application/atom+xml"
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert titles == ["Disk & co <full> (investigating)", "Mail is slow (investigating)"]
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
    assert len(set(ids)) == 2
    assert feed.findtext(f"{ATOM}updated") == feed.find(f"{ATOM}entry").findtext(f"{ATOM}updated")  # type: ignore[union-attr]
    assert answer.headers["Cache-Control"] == "public, max-age=60"


def test_feed_without_news_is_one_all_the_same(client: FlaskClient) -> None:
    feed = ET.fromstring(client.get("/feed.atom").data)  # noqa: S314 our own

    assert feed.findtext(f"{ATOM}updated")
    assert not list(feed.iter(f"{ATOM}entry"))


def test_page_links_its_feed(client: FlaskClient) -> None:
    page = client.get("/").text

    assert '<link rel="alternate" type="application/atom+xml"' in page


def test_badge_may_be_shown_by_other_sites_also_from_the_cache(client: FlaskClient) -> None:
    badges = [client.get("/badge.svg") for _ in range(3)]

    for badge in badges:
        assert badge.mimetype == "image/svg+xml"
        assert badge.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert badge.headers["Cache-Control"] == "public, max-age=60"
    picture = ET.fromstring(badges[0].data)  # noqa: S314 our own
    assert picture.get("aria-label") == "status: down"  # nobody has seen the mailer


def test_pages_have_nothing_that_the_policy_forbids(client: FlaskClient) -> None:
    for path in ("/", "/history"):
        page = client.get(path).text
        assert "<script" not in page
        assert "style=" not in page
