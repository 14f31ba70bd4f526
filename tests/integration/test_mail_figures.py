"""The figures of the mail, counted from real rows with the grants of both who read them."""

from datetime import timedelta

import pytest

from common.mail_figures import Figures, read_figures
from tests.integration.mails import (
    ago,
    ahead,
    close_gate,
    living_mailer,
    put_dead_mailer,
    put_mail,
)
from tests.integration.postgres import Database


@pytest.fixture(params=["mailer", "web"])
def reader(request: pytest.FixtureRequest) -> str:
    """Each role that reads the figures."""
    role: str = request.param
    return role


def read(database: Database, role: str = "mailer") -> Figures:
    with database.engine(role).connect() as connection:
        return read_figures(connection)


def test_nothing_is_zero(database: Database, reader: str) -> None:
    figures = read(database, reader)

    assert (figures.waiting, figures.done, figures.gates, figures.mailers) == ((), (), (), ())
    assert figures.sent == (0, 0, 0)
    assert figures.seconds_to_accept == ()
    assert figures.oldest_due_at is None
    assert figures.count("queued") == figures.count("sent") == 0


def test_waiting_mail_is_counted_by_kind(database: Database, reader: str) -> None:
    put_mail(database, kind="code", due_at=ago(seconds=30))
    put_mail(database, kind="code", due_at=ago(seconds=90), attempts=1, lease_by=7)
    put_mail(database, kind="code", due_at=ahead(hours=1))
    put_mail(database, kind="news", due_at=ahead(hours=1), attempts=4)

    code, news = read(database, reader).waiting

    assert (code.kind, code.mails, code.due, code.in_hand) == ("code", 3, 2, 1)
    assert code.oldest_due_at is not None
    assert ago(seconds=90) - code.oldest_due_at < timedelta(seconds=20)
    assert (news.mails, news.due, news.in_hand, news.oldest_due_at) == (1, 0, 0, None)


def test_oldest_due_is_that_of_all_kinds(database: Database) -> None:
    put_mail(database, kind="code", due_at=ago(seconds=30))
    first = ago(seconds=300)
    put_mail(database, kind="news", due_at=first)

    assert read(database).oldest_due_at == first


def test_what_asks_for_attention_is_counted_whole_and_what_is_done_for_a_day(
    database: Database, reader: str
) -> None:
    for state in ("sent", "expired", "suppressed", "cancelled", "dead", "unsure"):
        put_mail(database, state=state, done_at=ago(hours=23))
        put_mail(database, state=state, done_at=ago(hours=25))

    counts = {one.state: one.mails for one in read(database, reader).done}

    assert counts == {
        "cancelled": 1,
        "dead": 2,
        "expired": 1,
        "sent": 1,
        "suppressed": 1,
        "unsure": 2,
    }


def test_rates_count_the_last_minute_five_minutes_and_hour(database: Database) -> None:
    for minutes in (0.5, 3, 4, 30, 59, 61):
        put_mail(database, state="sent", done_at=ago(minutes=minutes))

    assert read(database).sent == (1, 3, 5)


@pytest.mark.parametrize(
    ("seconds_ago", "attempts", "seconds"),
    [
        pytest.param({"created_at": 60, "due_at": 60, "first_try_at": 15}, 0, 50, id="at once"),
        pytest.param({"created_at": 18000, "due_at": 40, "first_try_at": 15}, 0, 30, id="later"),
        pytest.param({"created_at": 900, "due_at": 20, "first_try_at": 890}, 2, 880, id="retried"),
        pytest.param({"created_at": 60, "due_at": 60}, 0, 50, id="first try unknown"),
    ],
)
def test_time_to_accept_is_from_when_it_could_go_first(
    database: Database, seconds_ago: dict[str, float], attempts: int, seconds: float
) -> None:
    instants = {name: ago(seconds=number) for name, number in seconds_ago.items()}
    put_mail(database, state="sent", done_at=ago(seconds=10), attempts=attempts, **instants)

    told = read(database).seconds_to_accept

    assert told == pytest.approx((seconds, seconds, seconds), abs=1)


def test_time_to_accept_has_the_slow_ones_in_its_tail(database: Database) -> None:
    queued = ago(seconds=300)
    for seconds in range(1, 101):
        done = queued + timedelta(seconds=seconds)
        put_mail(database, state="sent", created_at=queued, due_at=queued, done_at=done)

    told = read(database).seconds_to_accept

    assert told == pytest.approx((50.5, 95.05, 99.01))


def test_mail_of_more_than_an_hour_ago_does_not_count_for_the_time_to_accept(
    database: Database,
) -> None:
    put_mail(database, state="sent", due_at=ago(hours=3), done_at=ago(hours=2))

    assert read(database).seconds_to_accept == ()


def test_next_tries_are_counted_by_how_soon_they_are(database: Database, reader: str) -> None:
    for minutes in (-1, 0.5, 4, 4, 200, 600):
        put_mail(database, attempts=1, due_at=ahead(minutes=minutes))
    put_mail(database, due_at=ahead(minutes=4))

    assert read(database, reader).retries == (1, 2, 4, 4, 4, 5, 6)


def test_gates_tell_why_and_since_when(database: Database, reader: str) -> None:
    since, probe = ago(minutes=5), ahead(minutes=1)
    close_gate(database, "relay", since=since, next_probe_at=probe, probes=3)

    (gate,) = read(database, reader).gates

    assert (gate.name, gate.cause, gate.reason) == ("relay", "server", "connection refused")
    assert (gate.since, gate.next_probe_at, gate.probes) == (since, probe, 3)


def test_mailer_lives_while_it_holds_its_lock(database: Database, reader: str) -> None:
    put_dead_mailer(database, 5, ahead(minutes=1))
    put_mail(database, lease_by=5)

    with living_mailer(database) as number:
        figures = read(database, reader)

    assert {mailer.number: mailer.lives for mailer in figures.mailers} == {5: False, number: True}
    assert [mailer.number for mailer in figures.alive] == [number]
    assert [mailer.number for mailer in read(database, reader).mailers] == [5]


@pytest.mark.parametrize("attempts", [0, 3], ids=["fresh", "retried"])
def test_mailer_that_is_gone_is_told_while_it_has_mail_in_hand(
    database: Database, attempts: int
) -> None:
    for number in (1, 2):
        put_dead_mailer(database, number, ahead(minutes=1))
    put_mail(database, lease_by=2, attempts=attempts)

    assert [mailer.number for mailer in read(database).mailers] == [2]
