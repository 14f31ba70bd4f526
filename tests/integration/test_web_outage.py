"""The database goes away and comes back; web is never restarted."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import text

from common.condition import PARTS
from tests.cached_site import CachedSite, a_site
from tests.integration.measurements import put_day
from tests.integration.postgres import Database
from tests.waiting import eventually
from tests.web_app import an_app, send_form
from web.extensions import db


@pytest.fixture
def app(database: Database) -> Flask:
    given: dict[str, object] = {
        "database_url": database.url("web"),
        "cache_type": "NullCache",  # each request asks the database
        "ratelimit_enabled": False,
    }
    return an_app(**given)


def test_page_is_503_while_the_database_is_away_and_works_again_by_itself(
    app: Flask, database: Database
) -> None:
    client = app.test_client()
    assert client.get("/").status_code == 200

    database.stop()
    try:
        away = client.get("/")
        not_ready = client.get("/readyz")
        alive = client.get("/healthz")
    finally:
        database.start()

    assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
    assert not_ready.status_code == 503
    assert alive.status_code == 200
    assert client.get("/").status_code == 200
    assert send_form(client, "/subscribe", email="ada@example.org").status_code == 303


def parts_of(site: CachedSite) -> dict[str, str]:
    answer = site.get("/api/v1/status")
    assert answer.json
    return {part["name"]: part["state"] for part in answer.json["parts"]}


def time_of(page: str) -> str:
    found = re.search(r'<time datetime="([^"]+)"', page)
    assert found
    return found[1]


def test_status_page_of_a_short_outage_is_the_one_from_before(database: Database) -> None:
    site = a_site(database_url=database.url("web"))
    page = site.get("/")

    database.stop()
    try:
        site.now += 59
        short = site.get("/")
    finally:
        database.start()

    assert (short.status_code, short.text) == (200, page.text)


def test_status_page_of_a_long_outage_stays_up_and_says_so_and_of_when_it_is(
    database: Database,
) -> None:
    site = a_site(database_url=database.url("web"))
    for part in PARTS:
        put_day(database, part, datetime.fromtimestamp(site.now, UTC).date(), up=100, down=1)
    page = site.get("/")

    database.stop()
    try:
        site.now += 3 * 3600
        away, states, history = site.get("/"), parts_of(site), site.get("/api/v1/status/history")
        badge = site.get("/badge.svg")
        site.now += 24 * 3600
        too_long = site.get("/")
    finally:
        database.start()
    site.now += 5
    again = site.get("/")

    assert away.status_code == 200
    assert "The database is away" in away.text
    assert time_of(away.text) == time_of(page.text)
    assert away.text.count("99 % up") >= len(PARTS)
    assert states == dict.fromkeys(PARTS, "unknown") | {
        "Database": "down",
        "Website": "degraded",
    }
    assert history.status_code == 200
    assert "down" in badge.text
    assert (too_long.status_code, too_long.headers["Retry-After"]) == (503, "5")
    assert again.status_code == 200
    assert "The database is away" not in again.text


def test_restart_under_load_gives_nothing_worse_than_503(app: Flask, database: Database) -> None:
    stop, seen = Event(), Counter[int]()

    def ask_on() -> None:
        client = app.test_client()
        while not stop.is_set():
            seen[client.get("/").status_code] += 1

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(ask_on) for _ in range(4)]
        eventually(lambda: seen[200] > 20)
        database.restart()
        before = seen[200]
        eventually(lambda: seen[200] > before + 20)
        stop.set()
    for worker in workers:
        worker.result()

    assert set(seen) == {200, 503}


def test_connection_that_the_server_ended_is_replaced_unnoticed(
    app: Flask, database: Database
) -> None:
    client = app.test_client()
    client.get("/")

    with database.engine("owner").begin() as connection:
        ended = connection.scalar(
            text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'web'"
            )
        )

    assert ended
    assert client.get("/").status_code == 200


def test_connection_that_breaks_after_the_last_answer_does_not_lose_the_page(
    app: Flask, database: Database
) -> None:
    def read_then_break() -> str:
        process = db.session.scalar(text("SELECT pg_backend_pid()"))
        with database.engine("owner").begin() as connection:
            statement = text("SELECT pg_terminate_backend(:process, 5000)")
            connection.execute(statement, {"process": process})
        return "the page"

    app.add_url_rule("/broken", "broken", read_then_break)
    client = app.test_client()

    pages = [client.get("/broken") for _ in range(2)]

    assert [(page.status_code, page.text) for page in pages] == [(200, "the page")] * 2


def test_pool_that_is_used_up_is_a_503_too(database: Database) -> None:
    app = an_app(
        database_url=database.url("web"), db_pool_size=1, db_max_overflow=0, db_pool_timeout=1
    )
    with app.app_context():
        pool = app.extensions["sqlalchemy"].engine

    with pool.connect():
        answer = app.test_client().get("/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert app.test_client().get("/").status_code == 200
