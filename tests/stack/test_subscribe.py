"""The stack's whole job once: a subscription, from the page over the outbox and SMTP to the confirmed row."""

import base64
import json

from tests.stack.stack import Stack
from tests.stack.visitor import Visitor, link_in
from tests.waiting import eventually


def state_of(stack: Stack, email: str) -> str:
    return stack.sql(f"SELECT state FROM subscribers WHERE email = '{email}'")


def test_a_visitor_subscribes_and_the_mailed_link_confirms(stack: Stack) -> None:
    visitor = Visitor(stack.url)

    answer = visitor.subscribe("alice@example.org")
    eventually(lambda: len(stack.mail()) == 1, 30, "the mail arrives")
    (mail,) = stack.mail()
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
    Visitor(stack.url).subscribe("bob@example.org")

    same = stack.sql(
        "SELECT s.xmin = o.xmin OR o.state = 'sent' FROM subscribers s JOIN outbox o"
        " ON o.recipient = s.email WHERE s.email = 'bob@example.org'"
    )

    assert same == "t"


def test_one_request_id_leads_from_the_edge_to_the_mailers_line(stack: Stack) -> None:
    answer = Visitor(stack.url).subscribe("carol@example.org")
    submitted = answer.history[0]  # it redirects to a page of its own, another request
    request_id = submitted.headers["X-Request-ID"]
    eventually(lambda: len(stack.mail()) == 1, 30, "the mail arrives")
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
    eventually(lambda: "535" in stack.logs("mailer"), 30, "the log says why")
    while_refused = stack.sql("SELECT state FROM outbox WHERE recipient = 'dave@example.org'")
    stack.smtp_behaves()
    eventually(lambda: len(stack.mail()) == 1, 90, "the mail arrives")

    assert answer.ok
    assert while_refused == "queued"
    assert "correct-horse" not in stack.logs()
    assert base64.b64encode(b"\0tester\0correct-horse").decode() not in stack.logs()


def test_mail_waits_out_a_server_that_is_down(stack: Stack) -> None:
    stack.compose("stop", "smtp")

    answer = Visitor(stack.url).subscribe("erin@example.org")
    eventually(
        lambda: any(
            "smtp" in json.dumps(e) and e["level"] != "info" for e in stack.log_events("mailer")
        ),
        30,
        "the log says why",
    )
    stack.compose("start", "smtp")
    eventually(lambda: stack.healthy("smtp"), 60, "the mail server is back")
    eventually(lambda: len(stack.mail()) == 1, 90, "the mail arrives")

    assert answer.ok
    state = stack.sql("SELECT state FROM outbox WHERE recipient = 'erin@example.org'")
    assert state == "sent"
