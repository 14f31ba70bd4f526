"""The whole mailer, against the real database and a real SMTP server."""

import pytest
from sqlalchemy import text
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from mailer.delivery import worker as worker_module
from mailer.smtp.relay import Relay
from tests.integration.mailers import Mailer
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
BACKLOG = 1000  # mails; enough that some are left when the test has seen fifty go


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
    backlog = [f"{number}@example.net" for number in range(BACKLOG)]
    queue_mail(database, *backlog, priority=9)
    queue_mail(database, ALICE, priority=1)

    with mailer.running():
        server.state.wait_for(messages=50)
        queue_mail(database, BOB, priority=1)
        eventually(lambda: states(database) == {"sent": BACKLOG + 2})

    order = [message.recipients[0] for message in server.state.messages]
    assert order[0] == ALICE
    assert order.index(BOB) < BACKLOG


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


def test_mailer_lets_operators_see_what_bounds_it(mailer: Mailer, database: Database) -> None:
    mailer.daily_quota = 500

    with mailer.running():
        eventually(lambda: limits(database) == [(2, 500)])


def limits(database: Database) -> list[tuple[int, int]]:
    with database.engine("web").connect() as connection:
        rows = connection.execute(text("SELECT connections, daily_quota FROM mailers"))
        return [(row.connections, row.daily_quota) for row in rows]
