"""The whole mailer, against the real database and a real SMTP server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from mailer.delivery import desk as desk_module
from mailer.delivery import pulse
from mailer.delivery import worker as worker_module
from mailer.smtp.relay import Relay
from tests.integration.mailers import Mailer
from tests.integration.postgres import Database
from tests.integration.smtp_server import (
    a_relay,
    attempts,
    queue_mail,
    running_server,
    states,
    trouble,
)
from tests.stack.smtp.certificates import Certificate, make_certificate
from tests.stack.smtp.server import SmtpServer
from tests.waiting import eventually

ALICE, BOB = "alice@example.net", "bob@example.net"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the name by which the tests reach the server."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def server(certificate: Certificate) -> Iterator[SmtpServer]:
    """A server that is well."""
    with running_server(certificate) as running:
        yield running


@pytest.fixture
def relay(server: SmtpServer, certificate: Certificate) -> Relay:
    """How to reach it."""
    return a_relay(server, certificate.authority)


@pytest.fixture
def mailer(database: Database, relay: Relay, tmp_path: Path) -> Mailer:
    """A mailer, not yet running."""
    return Mailer(database, relay, tmp_path / "journals")


def test_queued_mail_is_delivered_once(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    with mailer.running():
        queue_mail(database, ALICE, BOB)
        eventually(lambda: states(database) == {"sent": 2})

    assert [message.recipients for message in server.state.messages] == [[ALICE], [BOB]]
    assert attempts(database) == [0, 0]


def test_mail_that_waited_before_the_mailer_came_is_delivered(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    queue_mail(database, ALICE)

    with mailer.running():
        eventually(lambda: states(database) == {"sent": 1})

    assert len(server.state.messages) == 1


def test_mail_wakes_an_idle_mailer_long_before_its_next_look(
    database: Database, server: SmtpServer, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 60.0)

    with mailer.running():
        queue_mail(database, ALICE)
        server.state.wait_for(messages=1, seconds=20)
        queue_mail(database, BOB)
        server.state.wait_for(messages=2, seconds=20)


def test_request_id_is_in_the_line_of_the_mail(database: Database, mailer: Mailer) -> None:
    with capture_logs(processors=[merge_contextvars]) as logs, mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"sent": 1})

    (line,) = [line for line in logs if line["event"] == "mail sent"]
    assert (line["request_id"], line["code"]) == ("request-0", 250)


def test_refused_recipient_does_not_hold_up_the_others_and_gets_no_more(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(rcpt="550 5.1.1 unknown")

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"dead": 1})
        server.state.behave()
        queue_mail(database, BOB, ALICE)
        eventually(lambda: states(database) == {"dead": 1, "sent": 1, "suppressed": 1})

    assert [message.recipients for message in server.state.messages] == [[BOB]]
    assert trouble(database) is None


def test_each_failed_try_is_on_record(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(rcpt="450 4.2.1 busy")

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: attempts(database) == [1])

    with database.engine("owner").connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM mail_attempts"))
    assert (row.mail_id, row.stage, row.scope, row.code) == (1, "recipient", "recipient", 450)
    assert "450 4.2.1 busy" in row.reason
    assert ALICE not in row.reason


def test_expired_mail_is_not_sent(database: Database, server: SmtpServer, mailer: Mailer) -> None:
    with database.engine("owner").connect() as connection:
        now = connection.scalar(text("SELECT now()"))

    with mailer.running():
        queue_mail(database, ALICE, expires_at=now)
        eventually(lambda: states(database) == {"expired": 1})

    assert server.state.messages == []


def test_mail_is_not_sent_before_its_time(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    with database.engine("owner").connect() as connection:
        tomorrow = connection.scalar(text("SELECT now() + interval '1 day'"))

    with mailer.running():
        queue_mail(database, ALICE, send_after=tomorrow)
        queue_mail(database, BOB)
        server.state.wait_for(messages=1)

    assert states(database) == {"queued": 1, "sent": 1}
    assert server.state.messages[0].recipients == [BOB]


def test_urgent_mail_overtakes_a_backlog(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    mailer.connections = 1
    backlog = [f"{number}@example.net" for number in range(100)]
    queue_mail(database, *backlog, priority=9)
    queue_mail(database, ALICE, priority=1)

    with mailer.running():
        server.state.wait_for(messages=50)
        queue_mail(database, BOB, priority=1)
        eventually(lambda: states(database) == {"sent": 102})

    order = [message.recipients[0] for message in server.state.messages]
    assert order[0] == ALICE
    assert order.index(BOB) < 100


def test_backlog_of_retries_does_not_starve_fresh_mail(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    queue_mail(database, *(f"{number}@example.net" for number in range(100)))
    with database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE outbox SET attempts = 1"))
    queue_mail(database, ALICE)

    with mailer.running():
        eventually(lambda: states(database) == {"sent": 101})

    order = [message.recipients[0] for message in server.state.messages]
    assert order.index(ALICE) < 20


def test_two_mailers_deliver_each_mail_exactly_once(
    database: Database, server: SmtpServer, mailer: Mailer, relay: Relay
) -> None:
    everybody = [f"{number}@example.net" for number in range(200)]

    with mailer.running(), Mailer(database, relay, mailer.journals).running():
        queue_mail(database, *everybody)
        eventually(lambda: states(database) == {"sent": 200})

    delivered = [message.recipients[0] for message in server.state.messages]
    assert sorted(delivered) == sorted(everybody)


def test_one_odd_mail_is_put_aside_and_the_others_go(
    database: Database, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_mail(database, ALICE, BOB)
    with database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE outbox SET attempts = 2 WHERE id = 1"))
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


def test_mail_that_becomes_useless_on_its_way_is_not_sent(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    with database.engine("owner").connect() as connection:
        soon = connection.scalar(text("SELECT now() + interval '3 s'"))
    server.state.behave(mail="stall")

    with mailer.running():
        queue_mail(database, ALICE, expires_at=soon)
        eventually(mailer.desk.in_hand)
        eventually(lambda: past(database, soon))
        server.state.behave()
        eventually(lambda: states(database) == {"expired": 1})

    assert server.state.messages == []


def past(database: Database, moment: object) -> bool:
    with database.engine("owner").connect() as connection:
        return bool(connection.scalar(text("SELECT now() > :moment"), {"moment": moment}))


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
