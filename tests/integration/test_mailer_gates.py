"""What holds all mail back, and lets it go again, with the real database and a real SMTP server."""

from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from mailer.smtp.relay import Relay
from tests.integration.mail_rows import do, gate
from tests.integration.mailers import Mailer
from tests.integration.postgres import Database
from tests.integration.smtp_server import (
    PASSWORD,
    attempts,
    queue_mail,
    states,
    trouble,
)
from tests.stack.smtp.server import SmtpServer
from tests.waiting import eventually

ALICE, BOB = "alice@example.net", "bob@example.net"


@pytest.mark.usefixtures("quick_probes")
def test_refused_password_holds_the_mail_until_it_is_taken(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(auth="535 5.7.8 Username and Password not accepted")

    with capture_logs() as logs, mailer.running():
        queue_mail(database, ALICE, BOB)
        server.state.wait_for(logins=3)
        eventually(lambda: "535 5.7.8" in (trouble(database) or ""), 10, "the row says why")
        while_refused, closed = states(database), gate(database, "relay")
        server.state.behave()
        eventually(lambda: states(database) == {"sent": 2})
        eventually(lambda: trouble(database) is None, 10, "the row says that it is well again")

    told = [line for line in logs if line["event"] == "gate closed"]
    assert while_refused == {"queued": 2}
    assert closed is not None
    assert closed.cause == "login"
    assert attempts(database) == [0, 0]
    assert len(server.state.messages) == 2
    assert len(told) == 1
    assert "535 5.7.8 Username and Password not accepted" in told[0]["reason"]
    assert gate(database, "relay") is None
    assert PASSWORD not in str(logs)


def test_new_password_is_tried_at_once(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    mailer.password = "not this one"

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: gate(database, "relay"), 10, "the password is refused")
        mailer.password = PASSWORD
        eventually(lambda: states(database) == {"sent": 1}, 20)

    assert len(server.state.messages) == 1


def test_operator_can_have_it_tried_at_once(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(auth="535 5.7.8 no")

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: gate(database, "relay"), 10, "the password is refused")
        server.state.behave()
        do(database, "UPDATE mail_gates SET next_probe_at = now()")
        eventually(lambda: states(database) == {"sent": 1}, 20)


def test_refused_login_is_not_repeated_soon(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(auth="535 5.7.8 no")
    with database.engine("owner").connect() as connection:
        started = connection.scalar(text("SELECT now()"))

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: gate(database, "relay"), 10, "the password is refused")
        closed = gate(database, "relay")

    assert closed is not None
    assert (closed.next_probe_at - started).total_seconds() >= 60
    assert len(server.state.logins) <= mailer.connections


@pytest.mark.usefixtures("quick_probes")
def test_mail_waits_out_a_server_that_is_down(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.stop()

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: "refused" in (trouble(database) or ""), 10, "the row says why")
        while_down = states(database)
        server.start()
        eventually(lambda: states(database) == {"sent": 1})

    assert while_down == {"queued": 1}
    assert attempts(database) == [0]
    assert len(server.state.messages) == 1


@pytest.mark.usefixtures("quick_probes")
def test_server_that_goes_down_between_two_mails_costs_neither(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"sent": 1})
        server.stop()
        queue_mail(database, BOB)
        eventually(lambda: trouble(database), 10, "the row says why")
        server.start()
        eventually(lambda: states(database) == {"sent": 2})

    assert [message.recipients for message in server.state.messages] == [[ALICE], [BOB]]
    assert attempts(database) == [0, 0]


@pytest.mark.usefixtures("quick_probes")
def test_mail_on_which_the_relay_always_hangs_up_lets_the_others_go(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    mailer.connections = 1
    server.state.behave(rcpt="drop")

    with mailer.running():
        queue_mail(database, ALICE, priority=1)
        eventually(lambda: attempts(database) == [1], what="it is charged, the second time")
        server.state.behave()
        queue_mail(database, BOB)
        server.state.wait_for(messages=1)

    assert server.state.messages[0].recipients == [BOB]


@pytest.mark.usefixtures("quick_probes")
def test_relay_that_lets_us_in_and_refuses_all_mail_is_tried_with_one_mail_at_a_time(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    mailer.connections = 1
    server.state.behave(mail="530 5.7.0 authentication required")

    with capture_logs() as logs, mailer.running():
        queue_mail(database, *(f"{number}@example.net" for number in range(10)))
        eventually(lambda: (closed := gate(database, "relay")) and closed.probes >= 4)
        server.state.behave()
        eventually(lambda: states(database) == {"sent": 10})

    told = [line["event"] for line in logs if line["event"].startswith("gate")]
    assert told.count("gate closed") == 1
    assert told.count("gate open") == 1
    assert attempts(database) == [0] * 10


@pytest.mark.usefixtures("quick_probes")
def test_gate_opens_by_itself_where_no_mail_waits_any_more(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.stop()

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: gate(database, "relay"), 10)
        do(database, "UPDATE outbox SET state = 'cancelled'")
        server.start()
        eventually(lambda: gate(database, "relay") is None)


@pytest.mark.usefixtures("quick_probes")
def test_gate_that_one_mailer_closed_is_closed_for_the_others(
    database: Database, server: SmtpServer, mailer: Mailer, relay: Relay, tmp_path: Path
) -> None:
    server.stop()
    other = Mailer(database, relay, tmp_path / "journals")

    with mailer.running(), other.running():
        queue_mail(database, *(f"{number}@example.net" for number in range(20)))
        eventually(lambda: mailer.desk.is_shut and other.desk.is_shut)
        server.start()
        eventually(lambda: states(database) == {"sent": 20})

    assert attempts(database) == [0] * 20


@pytest.mark.usefixtures("quick_probes")
def test_quota_that_shows_at_the_login_takes_the_place_of_the_trouble_before(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(auth="535 5.7.8 no")

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: gate(database, "relay"), 10)
        server.state.behave(auth="550 5.4.5 Daily user sending limit exceeded")
        eventually(lambda: gate(database, "quota"), 10)
        eventually(lambda: gate(database, "relay") is None, 10)
        server.state.behave()
        do(database, "UPDATE mail_gates SET next_probe_at = now()")
        eventually(lambda: states(database) == {"sent": 1})


def test_address_that_a_policy_refuses_is_not_suppressed(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(rcpt="550 Blocked by policy")

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"dead": 1})
        server.state.behave()
        queue_mail(database, BOB, ALICE)
        eventually(lambda: states(database) == {"dead": 1, "sent": 2})
