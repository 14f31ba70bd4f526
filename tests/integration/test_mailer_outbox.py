"""The claims and outcomes, against the real tables and with the mailer's own grants."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from mailer.listener import Listener
from mailer.outbox import Mail, Outbox
from mailer.stop import Stop
from tests.integration.postgres import Database
from tests.integration.smtp_server import queue_mail
from tests.waiting import eventually

ALICE, BOB = "alice@example.net", "bob@example.net"


@pytest.fixture
def outbox(database: Database) -> Outbox:
    """The outbox with the mailer's role."""
    return Outbox(database.engine("mailer"))


def row(database: Database, number: int = 1) -> tuple[str, int, str | None, float]:
    """Return a mail's state, attempts, last error and the seconds until it is due."""
    with database.engine("owner").connect() as connection:
        found = connection.execute(
            text(
                "SELECT state, attempts, last_error, extract(epoch FROM due_at - now())"
                " FROM outbox WHERE id = :number"
            ),
            {"number": number},
        ).one()
    return found[0], found[1], found[2], float(found[3])


def claimed(outbox: Outbox) -> Mail:
    mail = outbox.claim()
    assert mail is not None
    return mail


def test_claim_gives_the_mail_that_is_due_first(database: Database, outbox: Outbox) -> None:
    queue_mail(database, ALICE)
    queue_mail(database, BOB)

    mails = [claimed(outbox), claimed(outbox)]

    assert [mail.recipient for mail in mails] == [ALICE, BOB]
    assert outbox.claim() is None


def test_claim_gives_the_mail_as_it_was_queued(database: Database, outbox: Outbox) -> None:
    queue_mail(database, ALICE)

    mail = claimed(outbox)

    assert (mail.kind, mail.sender, mail.request_id) == ("test", "us@example.org", "request-0")
    assert mail.raw.endswith(b"\r\n\r\nhello\r\n")
    assert mail.attempts == 0


def test_claimed_mail_is_not_due_for_anybody_else(database: Database, outbox: Outbox) -> None:
    queue_mail(database, ALICE)

    claimed(outbox)

    assert outbox.oldest_due() is None
    assert row(database)[3] == pytest.approx(600, abs=30)


def test_mail_of_a_mailer_that_died_falls_due_again(database: Database) -> None:
    queue_mail(database, ALICE)
    outbox = Outbox(database.engine("mailer"), lease=timedelta(seconds=0.3))
    first = claimed(outbox)

    eventually(outbox.oldest_due, 10, "the lease ends")
    again = claimed(outbox)

    assert again.id == first.id
    assert again.attempts == 0


def test_mailers_side_by_side_claim_each_mail_once(database: Database, outbox: Outbox) -> None:
    queue_mail(database, *(f"{number}@example.net" for number in range(100)))

    def claim_all(_worker: int) -> list[int]:
        return [mail.id for mail in iter(outbox.claim, None)]

    with ThreadPoolExecutor(8) as pool:
        ids = [number for claims in pool.map(claim_all, range(8)) for number in claims]

    assert sorted(ids) == list(range(1, 101))


def test_sent_mail_is_done(database: Database, outbox: Outbox) -> None:
    queue_mail(database, ALICE)
    mail = claimed(outbox)

    outbox.mark_sent(mail)
    outbox.mark_sent(mail)

    assert row(database)[:3] == ("sent", 0, None)


def test_refused_mail_says_why(database: Database, outbox: Outbox) -> None:
    queue_mail(database, ALICE)

    outbox.refuse(claimed(outbox), "550 5.1.1 unknown")

    assert row(database)[:3] == ("refused", 1, "550 5.1.1 unknown")


def test_deferred_mail_says_why_and_waits(database: Database, outbox: Outbox) -> None:
    queue_mail(database, ALICE)

    outbox.defer(claimed(outbox), timedelta(minutes=5), "452 4.2.2 full")

    assert row(database)[:3] == ("queued", 1, "452 4.2.2 full")
    assert row(database)[3] == pytest.approx(300, abs=30)


def test_released_mail_is_due_behind_the_others_and_nothing_is_charged(
    database: Database, outbox: Outbox
) -> None:
    queue_mail(database, ALICE)
    queue_mail(database, BOB)

    outbox.release(claimed(outbox))

    assert claimed(outbox).recipient == BOB
    assert claimed(outbox).recipient == ALICE
    assert row(database)[:3] == ("queued", 0, None)


def settle(outbox: Outbox, mail: Mail, outcome: str) -> None:
    match outcome:
        case "mark_sent":
            outbox.mark_sent(mail)
        case "refuse":
            outbox.refuse(mail, "550 no")
        case "defer":
            outbox.defer(mail, timedelta(0), "450 later")
        case "release":
            outbox.release(mail)


@pytest.fixture
def late(database: Database, outbox: Outbox) -> Mail:
    """A mail whose lease ended before it was settled."""
    queue_mail(database, ALICE)
    mail = claimed(Outbox(database.engine("mailer"), lease=timedelta(0)))
    eventually(outbox.oldest_due, 10, "the lease ends")
    return mail


@pytest.mark.parametrize("outcome", ["refuse", "defer", "release"])
def test_mailer_that_comes_late_does_not_undo_what_another_did(
    database: Database, outbox: Outbox, late: Mail, outcome: str
) -> None:
    outbox.mark_sent(claimed(outbox))

    settle(outbox, late, outcome)

    assert row(database)[:3] == ("sent", 0, None)


@pytest.mark.parametrize("outcome", ["refuse", "defer", "release"])
def test_mailer_that_comes_late_does_not_touch_what_another_is_sending(
    database: Database, outbox: Outbox, late: Mail, outcome: str
) -> None:
    claimed(outbox)

    settle(outbox, late, outcome)

    assert row(database)[:3] == ("queued", 0, None)
    assert row(database)[3] == pytest.approx(600, abs=30)


@pytest.mark.parametrize("outcome", ["mark_sent", "refuse", "defer", "release"])
def test_mail_that_a_restore_put_under_the_same_id_is_left_alone(
    database: Database, outbox: Outbox, outcome: str
) -> None:
    queue_mail(database, ALICE)
    mail = claimed(outbox)
    with database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE outbox SET message_id = '<another@example.org>'"))

    settle(outbox, mail, outcome)

    assert row(database)[:3] == ("queued", 0, None)
    assert row(database)[3] == pytest.approx(600, abs=30)


def test_listener_wakes_when_mail_is_queued(database: Database) -> None:
    listener, stop = Listener(database.engine("mailer")), Stop()
    listener.open()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(listener.wait, stop, 60)
        queue_mail(database, ALICE)
        waiting.result(timeout=10)

    listener.close()
    stop.close()


def test_stop_ends_the_wait_for_mail(database: Database) -> None:
    listener, stop = Listener(database.engine("mailer")), Stop()
    listener.open()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(listener.wait, stop, 60)
        stop.set()
        waiting.result(timeout=10)

    listener.close()
    stop.close()


def test_mail_that_was_heard_of_does_not_wake_twice(database: Database) -> None:
    listener, stop = Listener(database.engine("mailer")), Stop()
    listener.open()
    queue_mail(database, ALICE)
    listener.wait(stop, 60)

    started = time.monotonic()
    listener.wait(stop, 0.3)

    assert time.monotonic() - started >= 0.3
    listener.close()
    stop.close()
