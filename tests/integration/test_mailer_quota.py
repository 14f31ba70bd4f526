"""The quotas, the relay's and our own, and the operator's pauses, with a real database and SMTP server."""

import pytest
from sqlalchemy import text

from tests.integration.mail_rows import do, gate
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


@pytest.mark.usefixtures("quick_probes")
def test_quota_that_is_used_up_holds_all_mail_and_charges_none(
    database: Database, server: SmtpServer, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.smtp.verdict.QUOTA_WAIT", None)
    server.state.behave(mail="550 5.4.5 Daily user sending limit exceeded")

    with mailer.running():
        queue_mail(database, ALICE, BOB)
        eventually(lambda: gate(database, "quota"), 10)
        while_held = states(database)
        server.state.behave()
        do(database, "UPDATE mail_gates SET next_probe_at = now()")
        eventually(lambda: states(database) == {"sent": 2})

    assert while_held == {"queued": 2}
    assert attempts(database) == [0, 0]
    assert gate(database, "quota") is None


def test_after_the_quota_one_mail_goes_first_as_a_trial(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(mail="550 5.4.5 Daily user sending limit exceeded")
    backlog = [f"{number}@example.net" for number in range(30)]

    with mailer.running():
        queue_mail(database, *backlog)
        eventually(lambda: gate(database, "quota"), 10)
        eventually(lambda: not mailer.desk.in_hand())
        logins = len(server.state.logins)
        do(database, "UPDATE mail_gates SET next_probe_at = now()")
        eventually(lambda: (closed := gate(database, "quota")) and closed.probes == 2)
        eventually(lambda: not mailer.desk.in_hand())

    assert len(server.state.logins) <= logins + 1
    assert states(database) == {"queued": 30}
    assert attempts(database) == [0] * 30


def test_trial_passes_over_mail_that_is_not_to_be_sent(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(mail="550 5.4.5 Daily user sending limit exceeded")
    with database.engine("owner").connect() as connection:
        now = connection.scalar(text("SELECT now()"))

    with mailer.running():
        queue_mail(database, BOB)
        eventually(lambda: gate(database, "quota"), 10)
        queue_mail(database, *(f"{n}@example.net" for n in range(5)), priority=1, expires_at=now)
        queue_mail(database, ALICE, kind="notice", priority=2)
        do(
            database,
            "INSERT INTO mail_gates (name, cause, reason) VALUES ('pause:notice', 'operator', '-')",
        )
        server.state.behave()
        do(database, "UPDATE mail_gates SET next_probe_at = now() WHERE name = 'quota'")
        eventually(lambda: states(database) == {"sent": 1, "expired": 5, "queued": 1})

    assert [message.recipients for message in server.state.messages] == [[BOB]]


def test_our_own_count_of_the_day_keeps_the_last_tenth_for_urgent_mail(
    database: Database, mailer: Mailer
) -> None:
    mailer.daily_quota = 10
    queue_mail(database, *(f"{number}@example.net" for number in range(12)))

    with mailer.running():
        eventually(lambda: states(database).get("sent") == 9)
        eventually(lambda: gate(database, "allowance"), what="it says why the others wait")
        queue_mail(database, ALICE, BOB, priority=1)
        eventually(lambda: states(database).get("sent") == 10)
        eventually(lambda: "all 10 mails" in (trouble(database) or ""))

    assert states(database) == {"sent": 10, "queued": 4}
    assert attempts(database) == [0] * 14


def test_a_pause_holds_all_mail_until_it_is_over(database: Database, mailer: Mailer) -> None:
    pause = "INSERT INTO mail_gates (name, cause, reason) VALUES ('pause', 'operator', 'we move')"
    do(database, pause)

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: trouble(database) == "we move")
        while_paused = states(database)
        do(database, "DELETE FROM mail_gates; NOTIFY outbox")
        eventually(lambda: states(database) == {"sent": 1})

    assert while_paused == {"queued": 1}


def test_a_pause_of_one_kind_lets_the_others_go(database: Database, mailer: Mailer) -> None:
    do(
        database,
        "INSERT INTO mail_gates (name, cause, reason) VALUES ('pause:notice', 'operator', 'wait')",
    )

    with mailer.running():
        queue_mail(database, ALICE, kind="notice")
        queue_mail(database, BOB)
        eventually(lambda: states(database) == {"queued": 1, "sent": 1})
        do(database, "DELETE FROM mail_gates; NOTIFY outbox")
        eventually(lambda: states(database) == {"sent": 2})


def test_quota_that_is_due_opens_where_no_mail_waits(database: Database, mailer: Mailer) -> None:
    do(
        database,
        "INSERT INTO mail_gates (name, cause, reason, next_probe_at)"
        " VALUES ('quota', 'quota', 'used up', now())",
    )

    with mailer.running():
        eventually(lambda: gate(database, "quota") is None)
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"sent": 1})


def test_trial_of_the_quota_that_finds_the_relay_away_says_nothing_of_the_quota(
    database: Database, server: SmtpServer, mailer: Mailer
) -> None:
    server.state.behave(mail="550 5.4.5 Daily user sending limit exceeded")

    with mailer.running():
        queue_mail(database, ALICE)
        eventually(lambda: gate(database, "quota"), 10)
        server.stop()
        do(database, "UPDATE mail_gates SET next_probe_at = now()")
        eventually(lambda: gate(database, "relay"), 10)

    assert gate(database, "quota") is not None
