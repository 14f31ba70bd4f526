import pytest

from mailer.errors import DeliveryError, MailDeferredError, MailRefusedError, RelayError, Stage
from mailer.replies import Reply, meaning_of, read_reply

REFUSED, DEFERRED, RELAY = MailRefusedError, MailDeferredError, RelayError


@pytest.mark.parametrize(
    ("stage", "code", "text", "meaning"),
    [
        pytest.param(Stage.CONNECT, 554, "no service", RELAY, id="greeting is no"),
        pytest.param(Stage.GREETING, 502, "what?", RELAY, id="EHLO is no"),
        pytest.param(Stage.TLS, 454, "4.7.0 not now", RELAY, id="TLS is not available"),
        pytest.param(Stage.LOGIN, 535, "5.7.8 no", RELAY, id="wrong password"),
        pytest.param(Stage.LOGIN, 534, "5.7.9 app password wanted", RELAY, id="app password"),
        pytest.param(Stage.LOGIN, 454, "4.7.0 too many logins", RELAY, id="too many logins"),
        pytest.param(Stage.SENDER, 530, "5.7.0 log in first", RELAY, id="login wanted at MAIL"),
        pytest.param(Stage.SENDER, 550, "5.4.5 daily limit", RELAY, id="Gmail's daily quota"),
        pytest.param(Stage.RECIPIENT, 550, "5.4.5 x", RELAY, id="the quota's code at RCPT"),
        pytest.param(
            Stage.CONTENT,
            550,
            "5.7.1 Daily SMTP relay limit exceeded for customer",
            RELAY,
            id="a quota that is only said in words",
        ),
        pytest.param(Stage.SENDER, 553, "5.1.8 bad sender", RELAY, id="our own address"),
        pytest.param(Stage.SENDER, 552, "5.3.4 too big", REFUSED, id="too big, said at MAIL"),
        pytest.param(Stage.SENDER, 451, "4.3.0 later", DEFERRED, id="MAIL put off"),
        pytest.param(Stage.RECIPIENT, 421, "4.3.2 closing", RELAY, id="going down at RCPT"),
        pytest.param(Stage.RECIPIENT, 503, "5.5.1 bad sequence", RELAY, id="bad sequence"),
        pytest.param(Stage.RECIPIENT, 450, "4.7.1 greylisted", DEFERRED, id="greylisting"),
        pytest.param(Stage.RECIPIENT, 452, "4.2.2 mailbox full", DEFERRED, id="mailbox full"),
        pytest.param(Stage.RECIPIENT, 550, "5.1.1 unknown", REFUSED, id="unknown recipient"),
        pytest.param(Stage.RECIPIENT, 550, "go away", REFUSED, id="no enhanced code"),
        pytest.param(Stage.RECIPIENT, 550, "4.2.1 busy", DEFERRED, id="enhanced code wins, soft"),
        pytest.param(Stage.RECIPIENT, 450, "5.1.1 gone", REFUSED, id="enhanced code wins, hard"),
        pytest.param(Stage.RECIPIENT, 550, "5.4.4 no route", DEFERRED, id="routing changes"),
        pytest.param(Stage.RECIPIENT, 554, "5.3.2 not now", DEFERRED, id="host takes no mail now"),
        pytest.param(Stage.CONTENT, 451, "4.3.0 scanner down", DEFERRED, id="content put off"),
        pytest.param(Stage.CONTENT, 554, "5.6.0 malformed", REFUSED, id="content refused"),
        pytest.param(Stage.CONTENT, 552, "5.3.4 too big", REFUSED, id="too big, said after DATA"),
        pytest.param(Stage.RECIPIENT, 220, "hello", RELAY, id="not an answer to the question"),
        pytest.param(Stage.RECIPIENT, -1, "", RELAY, id="not SMTP"),
        pytest.param(Stage.CONTENT, -1, "", DEFERRED, id="not SMTP, and it may have arrived"),
    ],
)
def test_reply_says_whose_fault_it_is(
    stage: Stage, code: int, text: str, meaning: type[DeliveryError]
) -> None:
    assert meaning_of(Reply(stage, code, text)) is meaning


def test_reply_is_read_as_one_line_without_what_is_secret() -> None:
    raw = b"5.7.8 no AUTH\n5.7.8 PLAIN AGJvYg==\x00\r\n for bob"

    reply = read_reply(Stage.LOGIN, 535, raw, hidden=("AGJvYg==", "bob"))

    assert str(reply) == "535 5.7.8 no AUTH 5.7.8 PLAIN [...] for [...]"


def test_overlong_reply_is_cut() -> None:
    assert len(read_reply(Stage.LOGIN, 535, b"x" * 5000).text) == 300
