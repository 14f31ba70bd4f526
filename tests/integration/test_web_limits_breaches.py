"""Breaches of limits in the database, as the console will read them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import insert, select

from tests.integration.postgres import Database
from tests.waiting import eventually
from tests.web_app import an_app
from web.limits import breach_rows, breaches
from web.limits.breaches import Breach, Kind, Pending
from web.models import LimitBreach

NOW = datetime.now(UTC)
MINUTE = NOW.replace(second=0, microsecond=0)


@pytest.fixture
def app(database: Database) -> Flask:
    return an_app(
        database_url=database.url("web"), ratelimit_default="1 per hour", trusted_proxies=1
    )


@pytest.fixture
def pending(monkeypatch: pytest.MonkeyPatch) -> Pending:
    """What is pending in this test alone."""
    own = Pending()
    monkeypatch.setattr(breaches, "pending", own)
    monkeypatch.setattr(breach_rows, "pending", own)
    return own


@pytest.fixture
def _writing(app: Flask, pending: Pending, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The thread that writes, as long as the test runs."""
    assert pending.take() == {}
    monkeypatch.setattr(breach_rows, "WRITTEN_EVERY_SECONDS", 0.05)
    stop = Event()
    thread = breach_rows.keep_writing(app, stop)
    yield
    stop.set()
    thread.join(10)


def rows(database: Database) -> list[LimitBreach]:
    with database.engine("web").connect() as connection:
        return list(connection.execute(select(LimitBreach.__table__)))  # type: ignore[arg-type] # rows, with the same columns


def kind(who: str = "203.0.113.9", minute: datetime = MINUTE) -> Kind:
    return Kind(minute, "subscribe.form", "site", who)


@pytest.mark.usefixtures("_writing")
def test_breach_becomes_a_row(app: Flask, database: Database) -> None:
    client = app.test_client()
    headers = {"X-Forwarded-For": "2001:db8::7", "X-Request-ID": "the-first"}

    client.get("/nowhere", headers=headers)
    client.get("/nowhere", headers=headers)

    eventually(lambda: rows(database))
    (row,) = rows(database)
    assert (row.route, row.rule, row.who) == ("unknown", "site", "2001:db8::/64")
    assert (row.address, row.request_id, row.times) == ("2001:db8::7", "the-first", 1)
    assert timedelta() <= datetime.now(UTC) - row.minute < timedelta(minutes=2)


def test_attack_is_one_row_however_often_it_is_written(
    app: Flask, database: Database, pending: Pending
) -> None:
    for times in (500, 20):
        pending.add(kind(), Breach("203.0.113.9", "first", times))
        breach_rows.write(app)

    assert [(row.times, row.request_id) for row in rows(database)] == [(520, "first")]


def test_two_processes_add_up(database: Database, pending: Pending) -> None:
    for app in [an_app(database_url=database.url("web")) for _ in range(2)]:
        pending.add(kind(), Breach("203.0.113.9", "first", 3))
        breach_rows.write(app)

    assert [row.times for row in rows(database)] == [6]


def test_next_minute_is_another_row(app: Flask, database: Database, pending: Pending) -> None:
    for minute in (MINUTE - timedelta(minutes=1), MINUTE):
        pending.add(kind(minute=minute), Breach("203.0.113.9", "first"))

    breach_rows.write(app)

    assert sorted(row.minute for row in rows(database)) == [MINUTE - timedelta(minutes=1), MINUTE]


def test_old_rows_are_deleted_and_others_stay(
    app: Flask, database: Database, pending: Pending
) -> None:
    for days in (31, 29):
        pending.add(kind(minute=MINUTE - timedelta(days=days)), Breach("203.0.113.9", "first"))
    breach_rows.write(app)

    breach_rows.sweep(app, NOW)

    assert [row.minute for row in rows(database)] == [MINUTE - timedelta(days=29)]


@pytest.mark.usefixtures("_writing")
def test_old_rows_go_also_where_nothing_is_breached(database: Database) -> None:
    old = MINUTE - timedelta(days=31)
    with database.engine("web").begin() as connection:
        row = {"minute": old, "route": "a", "rule": "b", "who": "c", "address": "d"}
        connection.execute(insert(LimitBreach), [{**row, "request_id": "e"}])

    eventually(lambda: not rows(database))


def test_last_breaches_are_written_at_the_end(
    app: Flask, database: Database, pending: Pending
) -> None:
    stop = Event()
    thread = breach_rows.keep_writing(app, stop)
    pending.add(kind(), Breach("203.0.113.9", "first"))

    stop.set()
    thread.join(10)

    assert len(rows(database)) == 1


@pytest.mark.usefixtures("_writing")
def test_requests_do_not_wait_for_a_table_that_is_locked(app: Flask, database: Database) -> None:
    client = app.test_client()
    with database.engine("owner").begin() as blocker:
        blocker.exec_driver_sql("LOCK TABLE limit_breaches IN ACCESS EXCLUSIVE MODE")
        answers = [client.get("/nowhere").status_code for _ in range(20)]

    assert answers == [404] + [429] * 19
    eventually(lambda: sum(row.times for row in rows(database)) == 19)


@pytest.mark.parametrize("text", ["\N{GRINNING FACE}" * 40, "it's; DROP TABLE x", "%s"])
def test_whatever_a_proxy_calls_an_address_can_be_written(
    app: Flask, database: Database, pending: Pending, text: str
) -> None:
    pending.add(kind(who=text), Breach(text, "first"))

    breach_rows.write(app)

    assert [(row.who, row.address) for row in rows(database)] == [(text, text)]
