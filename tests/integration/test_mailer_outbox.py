"""Outcomes, against the real tables and with the mailer's own grants."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from mailer.delivery import outbox
from mailer.delivery.outbox import Mail
from tests.integration.mail_rows import ANOTHER, ME, claim, do, recipients, row
from tests.integration.postgres import Database
from tests.integration.smtp_server import queue_mail

ALICE, BOB = "alice@example.net", "bob@example.net"


Settle = Callable[[Database, Mail], None]


def mark_sent(database: Database, mail: Mail) -> None:
    with database.engine("mailer").begin() as connection:
        outbox.mark_sent(connection, [(mail, 250, "250 2.0.0 queued as A1")])


def defer(database: Database, mail: Mail) -> None:
    with database.engine("mailer").begin() as connection:
        outbox.defer(connection, mail, timedelta(minutes=5), "452 4.2.2 full", 452)


def close(database: Database, mail: Mail) -> None:
    with database.engine("mailer").begin() as connection:
        outbox.close(connection, mail, "dead", "550 5.1.1 unknown", 550, charged=True)


def release(database: Database, mail: Mail) -> None:
    with database.engine("mailer").begin() as connection:
        outbox.release(connection, mail)


def test_sent_mail_is_done_and_says_what_the_relay_calls_it(database: Database) -> None:
    queue_mail(database, ALICE)
    (mail,) = claim(database)

    mark_sent(database, mail)
    mark_sent(database, mail)

    done = row(database)
    assert (done.state, done.attempts, done.last_error, done.lease_by) == ("sent", 0, None, None)
    assert (done.last_code, done.reply) == (250, "250 2.0.0 queued as A1")
    assert done.first_try_at <= done.done_at


def test_closed_mail_says_why(database: Database) -> None:
    queue_mail(database, ALICE)

    close(database, claim(database)[0])

    done = row(database)
    assert (done.state, done.attempts, done.last_error) == ("dead", 1, "550 5.1.1 unknown")


def test_deferred_mail_says_why_and_waits(database: Database) -> None:
    queue_mail(database, ALICE)

    defer(database, claim(database)[0])

    waits = row(database)
    assert (waits.state, waits.attempts, waits.last_error) == ("queued", 1, "452 4.2.2 full")
    assert (waits.last_code, waits.lease_by) == (452, None)
    assert float(waits.due_seconds) == pytest.approx(300, abs=30)


def test_released_mail_is_as_it_was(database: Database) -> None:
    queue_mail(database, ALICE)
    queue_mail(database, BOB)
    before = row(database)

    release(database, claim(database)[0])

    assert (row(database).due_at, row(database).attempts) == (before.due_at, 0)
    assert recipients(claim(database)) == [ALICE]


@pytest.mark.parametrize("settle", [close, defer, release])
def test_mailer_that_comes_late_does_not_undo_what_another_did(
    database: Database, settle: Settle
) -> None:
    queue_mail(database, ALICE)
    (late,) = claim(database, me=ANOTHER)
    mark_sent(database, claim(database)[0])

    settle(database, late)

    assert row(database).state == "sent"


@pytest.mark.parametrize("settle", [close, defer, release])
def test_mailer_that_comes_late_does_not_touch_what_another_is_sending(
    database: Database, settle: Settle
) -> None:
    queue_mail(database, ALICE)
    (late,) = claim(database, me=ANOTHER)
    claim(database)

    settle(database, late)

    assert (row(database).state, row(database).lease_by) == ("queued", ME)


def test_mail_that_did_leave_is_sent_whoever_has_it_now(database: Database) -> None:
    queue_mail(database, ALICE)
    (late,) = claim(database, me=ANOTHER)
    claim(database)

    mark_sent(database, late)

    assert row(database).state == "sent"


@pytest.mark.parametrize("settle", [mark_sent, close, defer, release])
def test_mail_that_a_restore_put_under_the_same_id_is_left_alone(
    database: Database, settle: Settle
) -> None:
    queue_mail(database, ALICE)
    (mail,) = claim(database)
    do(database, "UPDATE outbox SET message_id = '<another@example.org>'")

    settle(database, mail)

    assert (row(database).state, row(database).lease_by) == ("queued", ME)
