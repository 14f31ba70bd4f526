"""What is kept and what goes, with real rows and the mailer's own grants."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from common.outbox import Handling, Letter, enqueue
from mailer.upkeep import retention
from mailer.upkeep.retention import Removed, Retention
from tests.integration.mails import (
    ago,
    ahead,
    living_mailer,
    mail_of,
    numbers_in,
    put_attempt,
    put_body,
    put_dead_mailer,
    put_mail,
)
from tests.integration.postgres import Database

DONE = ("sent", "expired", "suppressed", "cancelled")


def run(database: Database) -> Removed:
    return Retention(database.engine("mailer")).run_once()


@pytest.mark.parametrize("state", DONE)
def test_content_of_what_is_done_goes_after_a_week_and_the_row_stays(
    database: Database, state: str
) -> None:
    old = put_mail(database, state=state, created_at=ago(days=9), done_at=ago(days=8))
    young = put_mail(database, state=state, created_at=ago(days=9), done_at=ago(days=6))

    removed = run(database)

    assert removed == Removed(contents=1)
    assert mail_of(database, old).body_id is None
    assert numbers_in(database, "mail_bodies") == [mail_of(database, young).body_id]


@pytest.mark.parametrize("state", ["queued", "dead", "unsure"])
def test_what_waits_or_asks_for_attention_is_kept_whole_for_ever(
    database: Database, state: str
) -> None:
    mail = put_mail(database, state=state, created_at=ago(days=400), done_at=ago(days=399))
    put_attempt(database, mail, at=ago(days=399))

    removed = run(database)

    assert removed == Removed()
    assert mail_of(database, mail).body_id is not None
    assert numbers_in(database, "mail_attempts") == [1]


@pytest.mark.parametrize("state", DONE)
def test_rows_of_what_is_done_go_after_ninety_days_with_their_tries(
    database: Database, state: str
) -> None:
    old = put_mail(database, state=state, created_at=ago(days=92), done_at=ago(days=91))
    young = put_mail(database, state=state, created_at=ago(days=92), done_at=ago(days=89))
    put_attempt(database, old)

    removed = run(database)

    assert removed == Removed(contents=2, mails=1)
    assert numbers_in(database, "outbox") == [young]
    assert numbers_in(database, "mail_attempts") == []


def test_content_that_many_share_goes_with_the_last_of_them(database: Database) -> None:
    body = put_body(database, ago(days=20))
    old = put_mail(database, state="sent", body_id=body, done_at=ago(days=15))
    young = put_mail(database, state="sent", body_id=body, done_at=ago(days=1))

    run(database)

    assert numbers_in(database, "mail_bodies") == [body]
    assert mail_of(database, old).body_id is None
    assert mail_of(database, young).body_id == body


def test_content_of_sent_mail_goes_as_soon_as_it_has_expired(database: Database) -> None:
    code = put_mail(database, state="sent", done_at=ago(minutes=20), expires_at=ago(minutes=5))
    link = put_mail(database, state="sent", done_at=ago(minutes=20), expires_at=ahead(hours=40))

    removed = run(database)

    assert removed == Removed(contents=1)
    assert mail_of(database, code).body_id is None
    assert numbers_in(database, "mail_bodies") == [mail_of(database, link).body_id]


@pytest.mark.parametrize(
    "state", ["queued", "dead", "unsure", "expired", "suppressed", "cancelled"]
)
def test_what_expired_unsent_is_kept_for_who_sends_it_nonetheless(
    database: Database, state: str
) -> None:
    mail = put_mail(database, state=state, done_at=ago(days=2), expires_at=ago(days=3))

    removed = run(database)

    assert removed == Removed()
    assert mail_of(database, mail).body_id is not None


def test_expired_content_that_another_mail_needs_stays(database: Database) -> None:
    body = put_body(database)
    sent = put_mail(database, state="sent", body_id=body, expires_at=ago(minutes=5))
    dead = put_mail(database, state="dead", body_id=body, expires_at=ago(minutes=5))

    removed = run(database)

    assert removed == Removed()
    assert (mail_of(database, sent).body_id, mail_of(database, dead).body_id) == (None, body)


def test_content_without_a_mail_goes_after_a_day(database: Database) -> None:
    put_body(database, ago(hours=25))
    young = put_body(database, ago(hours=23))

    removed = run(database)

    assert removed == Removed(contents=1)
    assert numbers_in(database, "mail_bodies") == [young]


def test_more_than_one_transaction_takes_goes_all_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(retention.PERIODS, "at_once", 3)
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    shared = put_body(database, ago(days=20))
    for _ in range(7):
        put_mail(database, state="sent", body_id=shared, done_at=ago(days=10))
        put_mail(database, state="sent", created_at=ago(days=99), done_at=ago(days=98))
        put_body(database, ago(days=2))
        put_mail(database, state="sent", done_at=ago(hours=1), expires_at=ago(minutes=5))
    young = put_body(database)

    removed = run(database)

    assert removed == Removed(contents=22, mails=7)
    assert numbers_in(database, "mail_bodies") == [young]
    assert len(numbers_in(database, "outbox")) == 14


def test_mailers_are_forgotten_a_day_after_they_died_with_nothing_in_hand(
    database: Database,
) -> None:
    put_dead_mailer(database, 1, ago(hours=25))
    put_dead_mailer(database, 2, ago(hours=23))
    put_dead_mailer(database, 3, ago(hours=25))
    put_mail(database, lease_by=3)

    removed = run(database)

    assert removed == Removed(mailers=1)
    assert numbers_in(database, "mailers") == [2, 3]


def test_mailer_that_lives_is_known_however_old_its_lease(database: Database) -> None:
    with living_mailer(database) as number:
        with database.engine("owner").begin() as connection:
            connection.execute(text("UPDATE mailers SET lease_until = now() - interval '2 days'"))

        run(database)

        assert numbers_in(database, "mailers") == [number]


def test_one_mailer_at_a_time_does_it(database: Database) -> None:
    put_body(database, ago(days=2))

    with database.engine("mailer").begin() as other:
        retention.take_lock(other)
        meanwhile = run(database)

    assert meanwhile == Removed()
    assert run(database) == Removed(contents=1)


def test_mail_that_an_operator_queues_again_meanwhile_keeps_its_content(database: Database) -> None:
    mail = put_mail(database, state="cancelled", created_at=ago(days=20), done_at=ago(days=10))

    with ThreadPoolExecutor(1) as pool, database.engine("mailer").begin() as operator:
        operator.execute(text("UPDATE outbox SET state = 'queued', done_at = NULL"))
        meanwhile = pool.submit(run, database).result(timeout=10)
    later = run(database)

    assert (meanwhile, later) == (Removed(), Removed())
    assert mail_of(database, mail).body_id is not None


def test_mail_is_queued_beside_it_without_waiting(database: Database) -> None:
    put_mail(database, state="sent", created_at=ago(days=9), done_at=ago(days=8))
    engine = database.engine("web")
    letters = [Letter("reader@example.net", "<beside@example.org>")]

    def queue_one() -> int:
        with engine.begin() as transaction:
            return enqueue(
                transaction,
                Handling(kind="news", expires_at=ahead(days=1)),
                sender="us@example.org",
                subject="hello",
                content=b"\r\nhello\r\n",
                letters=letters,
            )

    with database.engine("mailer").begin() as transaction, ThreadPoolExecutor(1) as pool:
        for statement in (retention.LET_GO, retention.REMOVE):
            values = retention.PERIODS | {"ids": numbers_in(database, "mail_bodies")}
            assert transaction.execute(text(statement), values).rowcount == 1
        queued = pool.submit(queue_one).result(timeout=10)

    assert queued == 1
    assert len(numbers_in(database, "outbox")) == 2
