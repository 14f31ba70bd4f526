"""What a mailer outlives, and when its heart stops, with a real database and SMTP server."""

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from mailer.delivery import desk as desk_module
from mailer.delivery import pulse
from tests.integration.mailers import STOP_SECONDS, Mailer
from tests.integration.postgres import Database
from tests.integration.smtp_server import (
    attempts,
    queue_mail,
    states,
    trouble,
)
from tests.stack.smtp.server import SmtpServer
from tests.waiting import eventually

ALICE, BOB = "alice@example.net", "bob@example.net"


def test_one_odd_mail_is_put_aside_and_the_others_go(
    database: Database, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_mail(database, ALICE, BOB)
    with database.engine("owner").begin() as connection:
        connection.execute(
            text("UPDATE outbox SET attempts = 2, first_try_at = now() WHERE id = 1")
        )
        connection.execute(
            text(
                "INSERT INTO mail_attempts (mail_id, mailer, stage, scope, reason, milliseconds)"
                " SELECT 1, 1, 'content', 'bug', 'no', 1 FROM generate_series(1, 2)"
            )
        )
    deliver = mailer_deliver_that_breaks_for(ALICE)
    monkeypatch.setattr("mailer.smtp.connection.RelayConnection.deliver", deliver)

    with mailer.running():
        eventually(lambda: states(database) == {"dead": 1, "sent": 1})

    with database.engine("owner").connect() as connection:
        said = connection.scalar(text("SELECT last_error FROM outbox WHERE id = 1"))
    assert said == "failed for a reason that nobody foresaw: a bug of ours"


def mailer_deliver_that_breaks_for(recipient: str) -> object:
    from mailer.smtp.connection import RelayConnection  # noqa: PLC0415 its method is about to be replaced

    whole = RelayConnection.deliver

    def deliver(self: RelayConnection, mail: object, *rest: object) -> object:
        if getattr(mail, "recipient", "") == recipient:
            raise RuntimeError("a bug of ours")
        return whole(self, mail, *rest)  # type: ignore[arg-type]

    return deliver


def test_thread_that_dies_ends_the_mailer_to_be_replaced(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module.Desk, "take", lambda *_: desk_module.Leave())

    with capture_logs() as logs, mailer.running():
        eventually(lambda: any(line["log_level"] == "critical" for line in logs))


def test_mailer_with_nothing_to_do_says_that_it_is_there(
    database: Database, mailer: Mailer
) -> None:
    def beats() -> int:
        with database.engine("owner").connect() as connection:
            found: int = connection.scalar(
                text("SELECT count(*) FROM heartbeats WHERE part = 'mailer' AND trouble IS NULL")
            )
            return found

    with mailer.running():
        eventually(lambda: beats() == 1, 10, "the row is there")
        eventually(lambda: mailer.beats > 2)


@pytest.mark.parametrize("trouble", ["stall", "nothing is claimed"])
def test_mailer_whose_mail_gets_nowhere_stops_its_heart(
    database: Database,
    server: SmtpServer,
    mailer: Mailer,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
) -> None:
    monkeypatch.setattr(pulse, "STUCK_SECONDS", 0.5)
    monkeypatch.setattr(pulse, "LOOK_SECONDS", 0.1)
    mailer.patience_seconds = 0.5
    if trouble == "stall":
        server.state.behave(mail="stall")
    else:
        monkeypatch.setattr("mailer.delivery.claims.Claims.take", lambda *_: [])

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: mailer.desk.idle_seconds() > 2)
        before = mailer.beats
        eventually(lambda: mailer.desk.idle_seconds() > 4)
        after = mailer.beats
        server.state.behave()

    assert after == before


def test_mailer_with_mail_for_later_keeps_its_heart_going(
    database: Database, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "STUCK_SECONDS", 0.5)
    monkeypatch.setattr(pulse, "LOOK_SECONDS", 0.1)
    with database.engine("owner").connect() as connection:
        tomorrow = connection.scalar(text("SELECT now() + interval '1 day'"))
    queue_mail(database, ALICE, send_after=tomorrow)

    with mailer.running():
        eventually(lambda: mailer.desk.idle_seconds() > 2)
        before = mailer.beats
        eventually(lambda: mailer.beats > before)


def test_many_large_mails_are_claimed_a_few_at_a_time(
    database: Database, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.delivery.intake.LARGEST_DESK", 100)
    most = 0
    put = desk_module.Desk.put

    def counted(self: desk_module.Desk, claims: list[desk_module.Claim]) -> None:
        nonlocal most
        put(self, claims)
        most = max(most, len(self.in_hand()))

    monkeypatch.setattr(desk_module.Desk, "put", counted)
    queue_mail(database, *(f"{number}@example.net" for number in range(30)))

    with mailer.running():
        eventually(lambda: states(database) == {"sent": 30})

    assert most <= 4, "one mail's content has 25 bytes"


def test_row_that_a_frozen_mailer_has_locked_holds_no_mail_up(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"sent": 1})
        with database.engine("owner").begin() as frozen:
            frozen.execute(text("SELECT FROM heartbeats WHERE part = 'mailer' FOR UPDATE"))
            queue_mail(database, *(f"{number}@example.net" for number in range(20)))
            server.state.wait_for(messages=21)


def test_unforeseen_trouble_with_the_login_is_no_mails_fault(
    database: Database, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise TypeError("a bug of ours")

    monkeypatch.setattr("mailer.smtp.connection.RelayConnection.open", fail)

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: "a bug of ours" in (trouble(database) or ""))

    assert states(database) == {"queued": 1}
    assert attempts(database) == [0]


def test_mail_whose_row_is_locked_keeps_no_other_from_being_recorded(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(mail="stall")

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(mailer.desk.in_hand)
        with database.engine("owner").begin() as somebody:
            somebody.execute(text("SELECT FROM outbox WHERE id = 1 FOR UPDATE"))
            server.state.behave()
            queue_mail(database, *(f"{number}@example.net" for number in range(20)))
            eventually(lambda: states(database) == {"sent": 20, "queued": 1})
        eventually(lambda: states(database) == {"sent": 21})


def test_mailer_that_is_told_to_stop_waits_once_for_a_reply_that_does_not_come(
    server: SmtpServer, database: Database, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.delivery.worker.LAST_MAIL_SECONDS", 0.6 * STOP_SECONDS)
    server.state.behave(data="stall")

    with mailer.running():  # its end fails after STOP_SECONDS
        queue_mail(database, ALICE)
        server.state.wait_for(messages=1)

    server.state.behave()
    assert states(database) == {"queued": 1}
