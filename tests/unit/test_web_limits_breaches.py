"""Breaches that wait to be written: summed, and bounded."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from tests.web_app import an_app
from web.limits import breach_rows, breaches
from web.limits.breaches import MOST, NEW_PER_MINUTE, Breach, Kind, Pending

MINUTE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_kind(who: str = "203.0.113.9", minute: datetime = MINUTE) -> Kind:
    return Kind(minute, "subscribe.submit", "subscribe by address", who)


def a_breach(request_id: str = "first") -> Breach:
    return Breach("203.0.113.9", request_id)


def test_same_breaches_of_a_minute_are_one_row_with_the_first_request() -> None:
    pending = Pending()

    for request_id in ("first", "second", "third"):
        assert pending.add(a_kind(), a_breach(request_id))

    assert pending.take() == {a_kind(): Breach("203.0.113.9", "first", times=3)}


def test_what_was_taken_is_gone() -> None:
    pending = Pending()
    pending.add(a_kind(), a_breach())

    pending.take()

    assert pending.take() == {}


def test_attack_from_many_addresses_makes_few_rows_a_minute() -> None:
    pending = Pending()

    taken = [pending.add(a_kind(str(number)), a_breach()) for number in range(1000)]

    assert taken.count(True) == NEW_PER_MINUTE
    assert len(pending.take()) == NEW_PER_MINUTE


def test_writing_in_between_does_not_make_room_for_more() -> None:
    pending = Pending()
    for number in range(NEW_PER_MINUTE):
        pending.add(a_kind(str(number)), a_breach())
    pending.take()

    assert not pending.add(a_kind("one more"), a_breach())


def test_next_minute_has_room_again() -> None:
    pending = Pending()
    for number in range(NEW_PER_MINUTE + 1):
        pending.add(a_kind(str(number)), a_breach())

    assert pending.add(a_kind("one more", MINUTE + timedelta(minutes=1)), a_breach())


def test_nobody_writing_does_not_fill_the_memory() -> None:
    pending = Pending()

    for number in range(2 * MOST):
        pending.add(a_kind(str(number), MINUTE + timedelta(minutes=number)), a_breach())

    assert len(pending.take()) == MOST


def test_database_that_is_away_costs_the_rows_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pending = Pending()
    monkeypatch.setattr(breach_rows, "pending", pending)
    pending.add(a_kind(), a_breach())

    with capture_logs() as lines:
        breach_rows.write(an_app())

    (line,) = lines
    assert (line["event"], line["rows"]) == ("breaches of limits not written", 1)
    assert pending.take() == {}


def test_refusing_asks_nothing_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    pending = Pending()
    monkeypatch.setattr(breaches, "pending", pending)
    client = an_app(ratelimit_default="1 per hour").test_client()

    with capture_logs() as lines:
        answers = [client.get("/subscribe").status_code for _ in range(5)]

    assert answers == [200, 429, 429, 429, 429]
    assert [row.times for row in pending.take().values()] == [4]
    assert not [line for line in lines if "database" in line["event"]]
