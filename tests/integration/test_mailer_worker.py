"""The whole mailer, against the real database and a real SMTP server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, text
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from typing_extensions import override

from mailer import worker as worker_module
from mailer.connection import RelayConnection
from mailer.credentials import Credentials
from mailer.delivery import Delivery
from mailer.gate import Gate
from mailer.outbox import Outbox
from mailer.relay import Relay
from mailer.stop import Stop
from mailer.worker import POLL_SECONDS, Worker
from tests.integration.postgres import Database
from tests.integration.smtp_server import (
    PASSWORD,
    USER,
    a_connection,
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
STOP_SECONDS = 20


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


def a_worker(engine: Engine, connection: RelayConnection) -> Worker:
    gate = Gate("relay", longest_pause_seconds=0.2)
    delivery = Delivery(Outbox(engine), connection, gate, lambda: 0.0)
    return Worker(engine, delivery, gate, lambda: None, lambda: datetime.now(UTC))


@contextmanager
def running_mailer(database: Database, relay: Relay) -> Iterator[None]:
    """Run a mailer in a thread; at the end it must stop when told to."""
    stop, engine = Stop(), create_engine(database.url("mailer"), pool_pre_ping=True)
    worker = a_worker(engine, a_connection(relay))
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)
        assert not thread.is_alive(), "the mailer does not stop"
        engine.dispose()
        stop.close()


def test_queued_mail_is_delivered_once(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    with running_mailer(database, relay):
        queue_mail(database, ALICE, BOB)
        eventually(lambda: states(database) == {"sent": 2})

    assert [message.recipients for message in server.state.messages] == [[ALICE], [BOB]]
    assert attempts(database) == [0, 0]


def test_mail_that_waited_before_the_mailer_came_is_delivered(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    queue_mail(database, ALICE)

    with running_mailer(database, relay):
        eventually(lambda: states(database) == {"sent": 1})

    assert len(server.state.messages) == 1


def test_mail_wakes_an_idle_mailer_long_before_its_next_look(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    with running_mailer(database, relay):
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"sent": 1})
        queue_mail(database, BOB)
        server.state.wait_for(messages=2, seconds=POLL_SECONDS / 2)


def test_request_id_is_in_the_line_of_the_mail(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    engine = database.engine("mailer")
    queue_mail(database, ALICE)
    gate = Gate("relay")
    delivery = Delivery(Outbox(engine), a_connection(relay), gate, lambda: 0.0)

    with capture_logs(processors=[merge_contextvars]) as logs:
        delivery.prepare()
        delivery.deliver_one()
    delivery.hang_up()

    (line,) = logs
    assert (line["event"], line["request_id"], line["code"]) == ("mail sent", "request-0", 250)
    assert server.state.messages


def test_refused_password_holds_the_mail_until_it_is_taken(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    server.state.behave(auth="535 5.7.8 Username and Password not accepted")

    with capture_logs() as logs, running_mailer(database, relay):
        queue_mail(database, ALICE, BOB)
        server.state.wait_for(logins=4)
        eventually(lambda: "535 5.7.8" in (trouble(database) or ""), 10, "the row says why")
        while_refused = states(database)
        server.state.behave()
        eventually(lambda: states(database) == {"sent": 2})
        eventually(lambda: trouble(database) is None, 10, "the row says that it is well again")

    told = [line for line in logs if line["event"] == "in trouble"]
    assert while_refused == {"queued": 2}
    assert attempts(database) == [0, 0]
    assert len(server.state.messages) == 2
    assert len(told) == 1
    assert "535 5.7.8 Username and Password not accepted" in told[0]["reason"]
    assert PASSWORD not in str(logs)


def test_quota_that_is_used_up_holds_all_mail_and_charges_none(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    server.state.behave(mail="550 5.4.5 Daily user sending limit exceeded")

    with running_mailer(database, relay):
        queue_mail(database, ALICE, BOB)
        server.state.wait_for(logins=4)
        while_held = states(database)
        server.state.behave()
        eventually(lambda: states(database) == {"sent": 2})

    assert while_held == {"queued": 2}
    assert attempts(database) == [0, 0]


def test_mail_waits_out_a_server_that_is_down(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    server.stop()

    with running_mailer(database, relay):
        queue_mail(database, ALICE)
        eventually(lambda: "refused" in (trouble(database) or ""), 10, "the row says why")
        while_down = states(database)
        server.start()
        eventually(lambda: states(database) == {"sent": 1})

    assert while_down == {"queued": 1}
    assert attempts(database) == [0]
    assert len(server.state.messages) == 1


def test_server_that_goes_down_between_two_mails_costs_neither(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    with running_mailer(database, relay):
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"sent": 1})
        server.stop()
        queue_mail(database, BOB)
        eventually(lambda: trouble(database), 10, "the row says why")
        server.start()
        eventually(lambda: states(database) == {"sent": 2})

    assert [message.recipients for message in server.state.messages] == [[ALICE], [BOB]]


def test_refused_recipient_does_not_hold_up_the_others(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    server.state.behave(rcpt="550 5.1.1 unknown")

    with running_mailer(database, relay):
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"refused": 1})
        server.state.behave()
        queue_mail(database, BOB)
        eventually(lambda: states(database) == {"refused": 1, "sent": 1})

    assert [message.recipients for message in server.state.messages] == [[BOB]]
    assert trouble(database) is None


def test_two_mailers_deliver_each_mail_exactly_once(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    everybody = [f"{number}@example.net" for number in range(60)]

    with running_mailer(database, relay), running_mailer(database, relay):
        queue_mail(database, *everybody)
        eventually(lambda: states(database) == {"sent": 60})

    delivered = [message.recipients[0] for message in server.state.messages]
    assert sorted(delivered) == sorted(everybody)


def test_mailer_outlives_a_database_restart(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    with capture_logs() as logs, running_mailer(database, relay):
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"sent": 1})
        database.restart()
        queue_mail(database, BOB)
        eventually(lambda: states(database) == {"sent": 2})

    troubles = [line for line in logs if line["event"] == "in trouble"]
    assert [line["part"] for line in troubles] == ["database"]
    assert len(server.state.messages) == 2


def test_mailer_hears_of_mail_again_after_its_ear_was_cut_off(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    with running_mailer(database, relay):
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"sent": 1})
        with database.engine("owner").begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'keelson_mailer'"
                )
            )
        queue_mail(database, BOB)
        eventually(lambda: states(database) == {"sent": 2})

    assert len(server.state.messages) == 2


class SlowLogin(RelayConnection):
    """Takes its time to log in: meanwhile the test does something."""

    def __init__(self, relay: Relay, meanwhile: Callable[[], None]) -> None:
        super().__init__(relay, lambda: Credentials(USER, SecretStr(PASSWORD)))
        self._meanwhile = meanwhile

    @override
    def open(self) -> None:
        super().open()
        self._meanwhile()


def test_slow_login_does_not_make_the_mailer_look_dead(
    database: Database,
    server: SmtpServer,
    relay: Relay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "PRESENCE_SECONDS", 0)
    queue_mail(database, ALICE)
    engine, stop, events = database.engine("mailer"), Stop(), list[str]()
    gate = Gate("relay")
    sender = SlowLogin(relay, lambda: events.append("logged in"))

    def now() -> datetime:
        sent = len(server.state.messages)
        events.append(f"presence, {sent} sent")
        if sent:
            stop.set()
        return datetime.now(UTC)

    delivery = Delivery(Outbox(engine), sender, gate, lambda: 0.0)
    Worker(engine, delivery, gate, lambda: events.append("beat"), now).run(stop)

    first, logged_in, second = events[:2], events[2], events[3:5]
    assert logged_in == "logged in"
    assert first == second == ["beat", "presence, 0 sent"]
    stop.close()


def test_mailer_that_is_told_to_stop_while_it_logs_in_touches_no_mail(
    database: Database, server: SmtpServer, relay: Relay
) -> None:
    queue_mail(database, ALICE)
    engine, stop = database.engine("mailer"), Stop()

    a_worker(engine, SlowLogin(relay, stop.set)).run(stop)

    assert states(database) == {"queued": 1}
    assert Outbox(engine).oldest_due() is not None
    assert server.state.messages == []
    stop.close()


def test_mailer_with_nothing_to_do_says_that_it_is_there(database: Database, relay: Relay) -> None:
    def beats() -> int:
        with database.engine("owner").connect() as connection:
            found: int = connection.scalar(
                text("SELECT count(*) FROM heartbeats WHERE part = 'mailer' AND trouble IS NULL")
            )
            return found

    with running_mailer(database, relay):
        eventually(lambda: beats() == 1, 10, "the row is there")
