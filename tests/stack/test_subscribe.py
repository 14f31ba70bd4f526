"""The stack's whole job once: a subscription, from the page over the outbox and SMTP to the confirmed row."""

import base64

import pytest

from tests.stack.stack import Stack
from tests.stack.visitor import Visitor, link_in
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("well")


def state_of(stack: Stack, email: str) -> str:
    return stack.sql(f"SELECT state FROM subscribers WHERE email = '{email}'")


def reasons(stack: Stack) -> list[str]:
    """Return why the mailer could not deliver, each time that it said so; something, at least."""
    events = stack.log_events("mailer")
    return ["", *(e["reason"] for e in events if e["event"] == "gate closed")]


def test_a_visitor_subscribes_and_the_mailed_link_confirms(stack: Stack) -> None:
    visitor = Visitor(stack.url)

    answer = visitor.subscribe("alice@example.org")
    eventually(lambda: stack.mail_to("alice@example.org"), 30, "the mail arrives")
    (mail,) = stack.mail_to("alice@example.org")
    link = link_in(base64.b64decode(mail["raw"]))
    before = state_of(stack, "alice@example.org")
    confirmed = visitor.send(link)

    assert answer.ok
    assert mail["recipients"] == ["alice@example.org"]
    assert mail["tls"] in {"TLSv1.2", "TLSv1.3"}
    assert mail["user"] == "tester"
    assert before == "pending"
    assert confirmed.ok
    assert state_of(stack, "alice@example.org") == "confirmed"


def test_row_and_mail_are_written_in_one_transaction(stack: Stack) -> None:
    stack.compose("stop", "mailer")  # or it would have touched the row by now

    Visitor(stack.url).subscribe("bob@example.org")
    same = stack.sql(
        "SELECT s.xmin = o.xmin FROM subscribers s JOIN outbox o"
        " ON o.recipient = s.email WHERE s.email = 'bob@example.org'"
    )
    stack.compose("start", "mailer")
    eventually(lambda: stack.mail_to("bob@example.org"), 60, "the mail arrives")

    assert same == "t"


def test_one_request_id_leads_from_the_edge_to_the_mailers_line(stack: Stack) -> None:
    answer = Visitor(stack.url).subscribe("carol@example.org")
    submitted = answer.history[0]  # it redirects to a page of its own, another request
    request_id = submitted.headers["X-Request-ID"]
    eventually(lambda: stack.mail_to("carol@example.org"), 30, "the mail arrives")
    eventually(
        lambda: any(e.get("request_id") == request_id for e in stack.log_events("mailer")),
        10,
        "the mailer names the request",
    )

    for service in ("edge", "web", "mailer"):
        lines = [e for e in stack.log_events(service) if e.get("request_id") == request_id]
        assert lines, f"{service} never named request {request_id}"
    row = stack.sql("SELECT request_id FROM outbox WHERE recipient = 'carol@example.org'")
    assert row == request_id


def test_refused_password_keeps_the_mail_until_the_server_takes_it(stack: Stack) -> None:
    stack.compose("restart", "mailer")  # a kept connection would not log in again
    stack.smtp_behaves(auth="535 5.7.8 Username and Password not accepted")

    answer = Visitor(stack.url).subscribe("dave@example.org")
    eventually(lambda: "535 5.7.8" in reasons(stack)[-1], 30, "the log says why")
    while_refused = stack.sql("SELECT state FROM outbox WHERE recipient = 'dave@example.org'")
    stack.smtp_behaves()
    stack.compose("exec", "-T", "mailer", "python", "-m", "mailer", "probe")
    eventually(lambda: stack.mail_to("dave@example.org"), 30, "the mail arrives")

    assert answer.ok
    assert while_refused == "queued"
    assert "correct-horse" not in stack.logs()
    assert base64.b64encode(b"\0tester\0correct-horse").decode() not in stack.logs()


def test_mail_waits_out_a_server_that_is_down(stack: Stack) -> None:
    before = len(reasons(stack))
    stack.compose("stop", "smtp")

    answer = Visitor(stack.url).subscribe("erin@example.org")
    eventually(lambda: len(reasons(stack)) > before, 30, "the log says why")
    why = reasons(stack)[-1]
    stack.compose("start", "smtp")
    eventually(lambda: stack.healthy("smtp"), 60, "the mail server is back")
    eventually(lambda: stack.mail_to("erin@example.org"), 90, "the mail arrives")

    assert answer.ok
    assert "smtp" in why
    state = stack.sql("SELECT state FROM outbox WHERE recipient = 'erin@example.org'")
    assert state == "sent"


def test_mailer_that_is_killed_is_replaced_and_what_it_had_in_hand_arrives(stack: Stack) -> None:
    stack.smtp_behaves(rcpt="stall")
    Visitor(stack.url).subscribe("frank@example.org")
    eventually(
        lambda: stack.sql("SELECT lease_by FROM outbox WHERE recipient = 'frank@example.org'"),
        30,
        "the mail is in hand",
    )

    kill = "import os, signal; os.kill(int(open('/proc/1/task/1/children').read()), signal.SIGKILL)"
    stack.try_compose("exec", "-T", "mailer", "python", "-c", kill)  # it may end with its container
    stack.smtp_behaves()
    eventually(lambda: stack.mail_to("frank@example.org"), 30, "the mail arrives")

    assert len(stack.mail_to("frank@example.org")) == 1
    events = [event["event"] for event in stack.log_events("mailer")]
    assert "taking up the mail of a mailer that is gone" in events
