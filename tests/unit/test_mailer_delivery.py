from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from mailer.connection import RelayConnection
from mailer.delivery import Delivery
from mailer.errors import (
    DeliveryError,
    MailDeferredError,
    MailRefusedError,
    RelayError,
    Stage,
)
from mailer.gate import Gate
from mailer.outbox import Mail, Outbox
from mailer.replies import Reply
from mailer.retry import SCHEDULE

NOON = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)
REFUSAL = MailRefusedError("550 5.1.1 unknown", Stage.RECIPIENT, 550)
DEFERRAL = MailDeferredError("452 4.2.2 full", Stage.RECIPIENT, 452)
QUOTA_USED_UP = RelayError("550 5.4.5 quota", Stage.SENDER, 550)
WRONG_PASSWORD = RelayError("535 5.7.8 no", Stage.LOGIN, 535)


class DatabaseAwayError(Exception):
    """What a database that is away raises."""


class FakeOutbox(Outbox):
    """Mail in memory, and a note of what became of it."""

    def __init__(self, *mails: Mail) -> None:
        self.due = deque(mails)
        self.settled: list[tuple[Any, ...]] = []
        self.is_away = False

    @override
    def oldest_due(self) -> datetime | None:
        return NOON if self.due else None

    @override
    def claim(self) -> Mail | None:
        return self.due.popleft() if self.due else None

    @override
    def mark_sent(self, mail: Mail) -> None:
        if self.is_away:
            raise DatabaseAwayError
        self.settled.append(("sent", mail.id))

    @override
    def refuse(self, mail: Mail, reason: str) -> None:
        self.settled.append(("refused", mail.id, reason))

    @override
    def defer(self, mail: Mail, delay: timedelta, reason: str) -> None:
        self.settled.append(("deferred", mail.id, delay, reason))

    @override
    def release(self, mail: Mail) -> None:
        self.settled.append(("released", mail.id))


class FakeConnection(RelayConnection):
    """A relay that does what the test wants."""

    def __init__(
        self, refuses: DeliveryError | None = None, is_shut: RelayError | None = None
    ) -> None:
        self.refuses = refuses
        self.is_shut = is_shut
        self.calls: list[str] = []

    @override
    def open(self) -> None:
        self.calls.append("open")
        if self.is_shut:
            raise self.is_shut

    @override
    def deliver(self, mail: Mail) -> Reply:
        self.calls.append(f"deliver {mail.id}")
        if self.refuses:
            raise self.refuses
        return Reply(Stage.CONTENT, 250, "2.0.0 taken")

    @override
    def close(self) -> None:
        self.calls.append("close")


def a_mail(number: int = 1, attempts: int = 0) -> Mail:
    return Mail(
        id=number,
        message_id=f"<{number}@example.org>",
        kind="confirmation",
        sender="us@example.org",
        recipient="alice@example.net",
        raw=b"Subject: hello\r\n\r\nsecret link\r\n",
        attempts=attempts,
        request_id="request-1",
        leased_until=NOON,
    )


def a_delivery(outbox: Outbox, sender: RelayConnection, gate: Gate | None = None) -> Delivery:
    return Delivery(outbox, sender, gate or Gate("relay"), lambda: 0.0)


def one_pass(delivery: Delivery) -> bool:
    return delivery.prepare() and delivery.deliver_one()


def test_mail_that_the_relay_takes_is_sent() -> None:
    outbox = FakeOutbox(a_mail())

    found_work = one_pass(a_delivery(outbox, FakeConnection()))

    assert found_work
    assert outbox.settled == [("sent", 1)]


def test_refused_mail_is_not_tried_again() -> None:
    outbox = FakeOutbox(a_mail())

    one_pass(a_delivery(outbox, FakeConnection(refuses=REFUSAL)))

    assert outbox.settled == [("refused", 1, "550 5.1.1 unknown")]


def test_deferred_mail_is_tried_again_later() -> None:
    outbox = FakeOutbox(a_mail(attempts=2))

    one_pass(a_delivery(outbox, FakeConnection(refuses=DEFERRAL)))

    assert outbox.settled == [("deferred", 1, timedelta(minutes=15), "452 4.2.2 full")]


def test_mail_that_was_deferred_for_five_days_is_given_up() -> None:
    outbox = FakeOutbox(a_mail(attempts=len(SCHEDULE)))

    one_pass(a_delivery(outbox, FakeConnection(refuses=DEFERRAL)))

    assert outbox.settled == [("refused", 1, "given up after 36 tries: 452 4.2.2 full")]


def test_trouble_with_the_account_is_not_charged_to_the_mail() -> None:
    outbox, gate = FakeOutbox(a_mail()), Gate("relay")

    one_pass(a_delivery(outbox, FakeConnection(refuses=QUOTA_USED_UP), gate))

    assert outbox.settled == [("released", 1)]
    assert gate.trouble == "550 5.4.5 quota"


def test_refused_login_touches_no_mail() -> None:
    outbox, gate = FakeOutbox(a_mail()), Gate("relay")

    found_work = one_pass(a_delivery(outbox, FakeConnection(is_shut=WRONG_PASSWORD), gate))

    assert not found_work
    assert len(outbox.due) == 1
    assert gate.trouble == "535 5.7.8 no"


def test_relay_in_trouble_is_left_alone() -> None:
    gate = Gate("relay")
    gate.close("down", "connection")
    sender = FakeConnection()

    found_work = one_pass(a_delivery(FakeOutbox(a_mail()), sender, gate))

    assert not found_work
    assert sender.calls == []


@pytest.mark.parametrize("outcome", [None, REFUSAL, DEFERRAL])
def test_relay_that_answers_about_the_mail_is_well_again(outcome: DeliveryError | None) -> None:
    gate = Gate("relay", longest_pause_seconds=0)
    gate.close("down", "connection")

    one_pass(a_delivery(FakeOutbox(a_mail()), FakeConnection(refuses=outcome), gate))

    assert gate.trouble is None


def test_login_alone_does_not_make_the_relay_well() -> None:
    gate = Gate("relay", longest_pause_seconds=0)
    delivery = a_delivery(FakeOutbox(a_mail()), FakeConnection(refuses=QUOTA_USED_UP), gate)
    gate.close("550 5.4.5 quota", QUOTA_USED_UP.kind)

    with capture_logs() as logs:
        one_pass(delivery)

    assert logs == []


def test_nothing_due_ends_the_connection() -> None:
    sender = FakeConnection()

    found_work = one_pass(a_delivery(FakeOutbox(), sender))

    assert not found_work
    assert sender.calls == ["close"]


def test_what_the_relay_took_while_the_database_was_away_is_recorded_before_anything_else() -> None:
    outbox, sender = FakeOutbox(a_mail(1), a_mail(2)), FakeConnection()
    delivery = a_delivery(outbox, sender)
    outbox.is_away = True
    with pytest.raises(DatabaseAwayError):
        one_pass(delivery)

    outbox.is_away = False
    one_pass(delivery)

    assert outbox.settled == [("sent", 1), ("sent", 2)]
    assert sender.calls == ["open", "deliver 1", "open", "deliver 2"]


@pytest.mark.parametrize(
    ("outcome", "event"),
    [(None, "mail sent"), (REFUSAL, "mail refused"), (DEFERRAL, "mail deferred")],
)
def test_log_names_the_mail_and_never_the_person(outcome: DeliveryError | None, event: str) -> None:
    with capture_logs() as logs:
        one_pass(a_delivery(FakeOutbox(a_mail()), FakeConnection(refuses=outcome)))

    (line,) = [line for line in logs if line["event"] == event]
    assert (line["id"], line["kind"], line["domain"]) == (1, "confirmation", "example.net")
    assert "alice" not in str(line)
    assert "link" not in str(line)
