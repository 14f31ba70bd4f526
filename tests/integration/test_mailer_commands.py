"""What an operator types, against real rows and with the mailer's own grants."""

from email import message_from_bytes

import pytest
from sqlalchemy import create_engine

import mailer.__main__
from common.outbox import check
from mailer.operator.commands import Means
from mailer.operator.trial_mail import TrialMail
from mailer.settings import Settings
from mailer.smtp.errors import Stage
from mailer.smtp.trial import Step
from tests.integration.mails import (
    ago,
    ahead,
    close_gate,
    living_mailer,
    put_attempt,
    put_mail,
)
from tests.integration.postgres import Database
from tests.integration.terminal import Terminal, means_of

GOOD = Step(Stage.CONNECT, ok=True, said="220 ready", milliseconds=3)
BAD = Step(Stage.LOGIN, ok=False, said="535 5.7.8 no", milliseconds=9, advice="mend the password")


@pytest.fixture
def terminal(database: Database, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(means_of(database.engine("mailer"), GOOD), capsys)


def test_status_of_an_idle_stack_without_a_mailer_says_what_to_do(terminal: Terminal) -> None:
    text = terminal.type("status")

    assert terminal.code == 0
    assert "nothing waits" in text
    assert "gates: all open" in text
    assert "No mailer is at work, and 0 mails are waiting: start one with `make up`." in text


def test_status_with_nothing_to_do_says_so(terminal: Terminal, database: Database) -> None:
    with living_mailer(database) as number:
        text = terminal.type("status")

    assert "All is well; there is nothing to do." in text
    assert f"{number}" in text


def test_status_shows_what_waits_what_is_held_back_and_why(
    terminal: Terminal, database: Database
) -> None:
    put_mail(database, kind="code", due_at=ago(minutes=3))
    put_mail(database, kind="code", due_at=ahead(minutes=3), attempts=2)
    put_mail(database, kind="code", due_at=ahead(days=1), attempts=9)
    put_mail(database, kind="news", state="dead", done_at=ago(days=30))
    close_gate(database, "relay", reason="connection refused", next_probe_at=ahead(seconds=50))

    with living_mailer(database):
        text = terminal.type("status")

    assert "code         3    1        0  3 min ago" in text
    assert "failed before, tried again: 1 within 5 min, 2 in all\n" in text
    assert "connection refused" in text
    assert "1 mail is given up: see `make mail-list ARGS='--state dead'`" in text
    assert "quota: 0 of 100 used in 24 h" in text


def test_status_for_programs(terminal: Terminal, database: Database) -> None:
    put_mail(database, kind="code")

    status = terminal.json("status")

    assert [(one["kind"], one["mails"], one["due"]) for one in status["waiting"]] == [
        ("code", 1, 1)
    ]
    assert status["quota"] == {"used": 0, "of": 100}
    assert status["advice"]


def test_list_is_narrowed_by_state_kind_and_address(terminal: Terminal, database: Database) -> None:
    alice = put_mail(database, recipient="Alice@Example.net", kind="code")
    bob = put_mail(database, recipient="bob@example.net", state="dead", done_at=ago(days=1))
    put_mail(database, recipient="bob@elsewhere.example", kind="code")
    put_mail(database, recipient="another-alice@example.net.example", kind="wide")
    put_mail(database, recipient="another-alice@example.net", kind="wide")

    def found(*words: str) -> list[int]:
        return [mail["id"] for mail in terminal.json("list", *words)]

    assert found("--to", "alice@example.NET") == [alice]
    assert found("--to", "@example.net") == [alice + 4, bob, alice]
    assert found("--state", "dead") == [bob]
    assert found("--kind", "code", "--limit", "1") == [alice + 2]
    assert found("--kind", "nothing") == []
    assert "there is no such mail" in terminal.type("list", "--kind", "nothing")


def test_list_says_of_each_mail_why_it_is_not_sent(terminal: Terminal, database: Database) -> None:
    put_mail(database, due_at=ago(minutes=1))

    (mail,) = terminal.json("list")

    assert "no mailer is at work" in mail["explanation"]
    assert mail["next_try_at"] is None


def test_show_tells_of_every_try(terminal: Terminal, database: Database) -> None:
    mail = put_mail(
        database,
        attempts=1,
        due_at=ahead(minutes=5),
        last_error="450 later",
        recipient="a@example.net",
    )
    put_attempt(database, mail, reason="450 4.2.1 try later", at=ago(minutes=1))

    text = terminal.type("show", str(mail))

    assert f"mail {mail}: queued" in text
    assert "it failed 1 time, at last with: 450 later; it is tried again" in text
    assert "a@example.net" in text
    assert "450 4.2.1 try later" in text


def test_show_finds_a_mail_by_its_message_id(terminal: Terminal, database: Database) -> None:
    mail = put_mail(database, message_id="<known@example.org>")

    assert terminal.json("show", "<known@example.org>")[0]["id"] == mail
    assert terminal.json("show", "known@example.org")[0]["id"] == mail


def test_show_raw_prints_the_mail_as_it_is_sent(terminal: Terminal, database: Database) -> None:
    mail = put_mail(database)

    assert terminal.type("show", str(mail), "--raw") == (
        "X-Head: yes\nSubject: hello\n\nhello, w\u00f6rld\n"
    )


def test_show_raw_of_removed_content_says_so(terminal: Terminal, database: Database) -> None:
    mail = put_mail(database, state="sent", body_id=None, done_at=ago(days=8))

    assert terminal.type("show", str(mail), "--raw") == f"the content of mail {mail} was removed\n"
    assert terminal.code == 1


def test_show_of_no_mail_fails(terminal: Terminal) -> None:
    assert terminal.type("show", "99") == "there is no mail 99\n"
    assert terminal.code == 1


def test_suppressed_address_is_listed_until_it_is_let_through(terminal: Terminal) -> None:
    assert terminal.type("suppressions") == "every address gets mail\n"

    terminal.type("suppress", "Bob@Example.net")
    terminal.type("suppress", "bob@example.net", "--scope", "news", "--reason", "he asked")
    listed = [(one["address"], one["scope"]) for one in terminal.json("suppressions")]

    assert sorted(listed) == [("bob@example.net", "*"), ("bob@example.net", "news")]
    assert terminal.type("unsuppress", "BOB@example.net", "--scope", "news") == (
        "BOB@example.net gets mail again\n"
    )
    assert "he asked" not in terminal.type("suppressions")
    terminal.type("unsuppress", "bob@example.net")
    assert terminal.json("suppressions") == []


def test_unsuppress_of_an_address_that_is_not_suppressed_fails(terminal: Terminal) -> None:
    assert terminal.type("unsuppress", "bob@example.net") == "bob@example.net was not suppressed\n"
    assert terminal.code == 1


@pytest.mark.parametrize("verb", ["suppress", "test"])
def test_what_is_no_address_is_refused(terminal: Terminal, verb: str) -> None:
    terminal.type(verb, "bob")

    assert terminal.code == 2
    assert "not an address that mail can be sent to: 'bob'" in terminal.error


def test_trial_tells_each_step(terminal: Terminal) -> None:
    assert (
        terminal.type("test", "you@example.net")
        == "ok      connection            3 ms  220 ready\n"
    )
    assert terminal.code == 0


def test_trial_that_fails_says_what_to_do(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(means_of(database.engine("mailer"), GOOD, BAD), capsys)

    text = terminal.type("test", "you@example.net")

    assert terminal.code == 1
    assert text.endswith("535 5.7.8 no\nTo do: mend the password\n")
    assert [step["ok"] for step in terminal.json("test", "you@example.net")] == [True, False]


def test_trial_is_one_finished_mail_from_whom_it_is_told(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    mails: list[TrialMail] = []

    def trial(mail: TrialMail) -> list[Step]:
        mails.append(mail)
        return [GOOD]

    terminal = Terminal(Means(database.engine("mailer"), 0, None, lambda: None, trial), capsys)

    terminal.type("test", "you@example.net")
    refused = (terminal.code, terminal.error)
    terminal.type("test", "you@example.net", "--from", "us@example.org")

    assert refused[0] == 2
    assert "name the sender with --from" in refused[1]
    (mail,) = mails
    assert (mail.sender, mail.recipient) == ("us@example.org", "you@example.net")
    check(mail.sender, mail.raw, [])
    message = message_from_bytes(mail.raw)
    assert (message["From"], message["To"]) == (mail.sender, mail.recipient)
    assert message["Message-ID"].endswith("@example.org>")


@pytest.mark.parametrize("words", [[], ["--from", "us@example.org"]], ids=["", "from"])
def test_trial_without_credentials_says_that_and_not_that_a_sender_is_missing(
    database: Database, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    settings = Settings.read(database_url=database.url("mailer"))
    means = mailer.__main__.means_of(settings, database.engine("mailer"))
    terminal = Terminal(means, capsys)

    told = terminal.type("test", "you@example.net", *words)

    assert terminal.code == 1
    assert told.startswith("FAILED  credentials")
    assert "no SMTP credentials: set MAIL_USERNAME and MAIL_PASSWORD_FILE" in told
    assert "To do: set" in told


def test_database_that_is_away_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = create_engine("postgresql+psycopg2://nobody@/nothing?host=/nonexistent")
    terminal = Terminal(means_of(nowhere), capsys)

    terminal.type("status")

    assert terminal.code == 1
    assert terminal.error.startswith("mailer status: the database says: ")
    assert len(terminal.error.splitlines()) == 1
