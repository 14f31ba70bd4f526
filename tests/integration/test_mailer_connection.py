"""The connection against a real SMTP server, in every way that one fails."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer import connection as connection_module
from mailer.errors import DeliveryError, MailDeferredError, MailRefusedError, RelayError, Stage
from mailer.outbox import Mail
from tests.authority import another_authority
from tests.integration.smtp_server import (
    PASSWORD,
    USER,
    a_connection,
    a_relay,
    running_server,
)
from tests.stack.smtp.certificates import Certificate, make_certificate
from tests.stack.smtp.server import SmtpServer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the name by which the tests reach the server."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def server(certificate: Certificate) -> Iterator[SmtpServer]:
    """A server with STARTTLS that is well."""
    with running_server(certificate) as running:
        yield running


def a_mail(
    raw: bytes = b"Subject: hello\r\n\r\nhello\r\n", recipient: str = "a@example.net"
) -> Mail:
    return Mail(
        id=1,
        message_id="<1@example.org>",
        kind="test",
        sender="us@example.org",
        recipient=recipient,
        raw=raw,
        attempts=0,
        request_id=None,
        leased_until=datetime.now(UTC),
    )


def test_mail_goes_over_tls_with_a_login(server: SmtpServer, certificate: Certificate) -> None:
    with a_connection(a_relay(server, certificate.authority)) as connection:
        reply = connection.deliver(a_mail())

    (received,) = server.state.messages
    assert reply.code == 250
    assert received.tls in {"TLSv1.2", "TLSv1.3"}
    assert received.user == USER
    assert (received.sender, received.recipients) == ("us@example.org", ["a@example.net"])


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"Subject: x\r\n\r\n.\r\n..\r\n.hidden\r\n", id="leading dots"),
        pytest.param("Subject: x\r\n\r\n\u00e4\u00f6\u00fc \u2713\r\n".encode(), id="eight bits"),
        pytest.param(b"Subject: x\r\n\r\n" + b"a" * 900 + b"\r\n", id="long line"),
        pytest.param(b"Subject: x\r\n\r\n" + b"0123456789abcde\r\n" * 100_000, id="1.7 MB"),
        pytest.param(b"Subject: x\r\n\r\n", id="empty body"),
    ],
)
def test_mail_arrives_byte_for_byte(
    server: SmtpServer, certificate: Certificate, raw: bytes
) -> None:
    with a_connection(a_relay(server, certificate.authority)) as connection:
        connection.deliver(a_mail(raw))

    assert server.state.messages[0].raw == raw


def test_one_login_serves_many_mails(server: SmtpServer, certificate: Certificate) -> None:
    connection = a_connection(a_relay(server, certificate.authority))

    for _ in range(5):
        connection.open()
        connection.deliver(a_mail())
    connection.close()

    assert len(server.state.messages) == 5
    assert server.state.logins == [{"user": USER, "accepted": True}]


def test_connection_is_renewed_before_the_relay_tires_of_it(
    server: SmtpServer, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "MAILS_PER_CONNECTION", 2)
    connection = a_connection(a_relay(server, certificate.authority))

    for _ in range(5):
        connection.open()
        connection.deliver(a_mail())
    connection.close()

    assert len(server.state.logins) == 3


def test_tls_from_the_first_byte_works_as_well(certificate: Certificate) -> None:
    with running_server(certificate, tls_at_once=True) as server:
        with a_connection(a_relay(server, certificate.authority, tls_at_once=True)) as connection:
            connection.deliver(a_mail())

        assert server.state.logins == [{"user": USER, "accepted": True}]
        assert len(server.state.messages) == 1


@pytest.mark.parametrize("tls_at_once", [False, True], ids=["STARTTLS", "TLS at once"])
def test_server_of_another_authority_is_never_told_the_password(
    certificate: Certificate, tmp_path: Path, tls_at_once: bool
) -> None:
    other = tmp_path / "other.crt"
    other.write_bytes(another_authority())

    with running_server(certificate, tls_at_once=tls_at_once) as server:
        connection = a_connection(a_relay(server, other, tls_at_once=tls_at_once))
        with pytest.raises(RelayError, match=r"not trusted, so nothing was sent.*MAIL_CA_FILE"):
            connection.open()

        assert server.state.logins == []


@pytest.mark.parametrize("tls_at_once", [False, True], ids=["STARTTLS", "TLS at once"])
def test_server_with_another_name_is_never_told_the_password(
    tmp_path: Path, tls_at_once: bool
) -> None:
    certificate = make_certificate(tmp_path, "other.example")

    with running_server(certificate, tls_at_once=tls_at_once) as server:
        relay = a_relay(server, certificate.authority, tls_at_once=tls_at_once)
        with pytest.raises(RelayError, match="Hostname mismatch"):
            a_connection(relay).open()

        assert server.state.logins == []


def test_server_without_starttls_is_never_told_the_password(
    server: SmtpServer, certificate: Certificate
) -> None:
    server.state.behave(starttls="absent")

    with pytest.raises(RelayError, match="failed at the STARTTLS: STARTTLS extension not"):
        a_connection(a_relay(server, certificate.authority)).open()

    assert server.state.logins == []


def test_wrong_password_is_tried_once_and_told_with_the_servers_reply(
    server: SmtpServer, certificate: Certificate
) -> None:
    connection = a_connection(a_relay(server, certificate.authority), password="wrong")

    with pytest.raises(RelayError, match=r"refused the login: 535 5\.7\.8") as raised:
        connection.open()

    assert (raised.value.stage, raised.value.code) == (Stage.LOGIN, 535)
    assert server.state.logins == [{"user": USER, "accepted": False}]


def test_server_that_quotes_the_login_does_not_get_the_password_into_the_log(
    server: SmtpServer, certificate: Certificate
) -> None:
    login = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    server.state.behave(auth=f"535 5.7.8 what is AUTH PLAIN {login}")

    with pytest.raises(RelayError) as raised:
        a_connection(a_relay(server, certificate.authority)).open()

    assert login not in str(raised.value)
    assert "AUTH PLAIN [...]" in str(raised.value)


def test_nobody_listening_is_trouble_with_the_relay(
    server: SmtpServer, certificate: Certificate
) -> None:
    server.stop()

    with pytest.raises(RelayError, match=r"failed at the connection: .*refused"):
        a_connection(a_relay(server, certificate.authority)).open()


@pytest.mark.parametrize("stage", ["connect", "ehlo", "starttls", "auth"])
def test_silent_server_is_given_up_in_time(
    server: SmtpServer, certificate: Certificate, stage: str
) -> None:
    server.state.behave(**{stage: "stall"})
    connection = a_connection(a_relay(server, certificate.authority, timeout_seconds=0.3))

    with pytest.raises(RelayError, match="timed out"):
        connection.open()


@pytest.mark.parametrize("reply", ["421 4.3.2 later", "554 5.3.2 no", "drop"])
@pytest.mark.parametrize("stage", ["connect", "ehlo", "starttls", "auth"])
def test_whatever_fails_before_the_mail_is_trouble_with_the_relay(
    server: SmtpServer, certificate: Certificate, stage: str, reply: str
) -> None:
    server.state.behave(**{stage: reply})

    with pytest.raises(RelayError):
        a_connection(a_relay(server, certificate.authority)).open()


@pytest.mark.parametrize(
    ("stage", "reply", "meaning"),
    [
        pytest.param("mail", "550 5.4.5 quota", RelayError, id="quota"),
        pytest.param("mail", "drop", RelayError, id="hung up at MAIL"),
        pytest.param("mail", "stall", RelayError, id="silent at MAIL"),
        pytest.param("rcpt", "550 5.1.1 unknown", MailRefusedError, id="unknown recipient"),
        pytest.param("rcpt", "450 4.2.1 full", MailDeferredError, id="full mailbox"),
        pytest.param("rcpt", "421 4.3.2 closing", RelayError, id="going down"),
        pytest.param("rcpt", "drop", RelayError, id="hung up at RCPT"),
        pytest.param("data", "554 5.6.0 no", MailRefusedError, id="refused content"),
        pytest.param("data", "451 4.3.0 later", MailDeferredError, id="content put off"),
        pytest.param("data", "421 4.3.2 closing", RelayError, id="not taken, going down"),
        pytest.param("data", "drop", MailDeferredError, id="hung up when all was sent"),
        pytest.param("data", "stall", MailDeferredError, id="silent when all was sent"),
    ],
)
def test_failure_means_what_it_should_and_the_next_mail_goes(
    server: SmtpServer,
    certificate: Certificate,
    stage: str,
    reply: str,
    meaning: type[DeliveryError],
) -> None:
    connection = a_connection(a_relay(server, certificate.authority, timeout_seconds=0.5))
    connection.open()
    server.state.behave(**{stage: reply})

    with pytest.raises(DeliveryError) as raised:
        connection.deliver(a_mail())
    server.state.behave()
    server.state.forget()
    connection.open()
    connection.deliver(a_mail())
    connection.close()

    assert type(raised.value) is meaning
    assert len(server.state.messages) == 1


def test_refused_mail_does_not_cost_the_login(server: SmtpServer, certificate: Certificate) -> None:
    connection = a_connection(a_relay(server, certificate.authority))
    connection.open()
    server.state.behave(rcpt="550 5.1.1 unknown")
    with pytest.raises(MailRefusedError):
        connection.deliver(a_mail())

    server.state.behave()
    connection.open()
    connection.deliver(a_mail())
    connection.close()

    assert len(server.state.logins) == 1


def test_error_says_what_the_server_said_but_not_of_whom(
    server: SmtpServer, certificate: Certificate
) -> None:
    server.state.behave(rcpt="550 5.1.1 <alice@example.net> is unknown")

    with (
        a_connection(a_relay(server, certificate.authority)) as connection,
        pytest.raises(MailRefusedError) as raised,
    ):
        connection.deliver(a_mail(recipient="alice@example.net"))

    assert "refused the recipient: 550 5.1.1 <[...]> is unknown" in str(raised.value)


@pytest.mark.parametrize("recipient", ["a@example.net\r\nDATA", "\u00e4@example.net"])
def test_address_that_smtp_cannot_hold_is_refused(
    server: SmtpServer, certificate: Certificate, recipient: str
) -> None:
    with (
        a_connection(a_relay(server, certificate.authority)) as connection,
        pytest.raises(MailRefusedError, match="failed at the recipient"),
    ):
        connection.deliver(a_mail(recipient=recipient))

    assert server.state.messages == []


@pytest.mark.parametrize("recipient", ["a,b@example.net", "a:b;@example.net"])
def test_odd_address_is_never_taken_for_another(
    server: SmtpServer, certificate: Certificate, recipient: str
) -> None:
    with (
        a_connection(a_relay(server, certificate.authority)) as connection,
        pytest.raises(MailRefusedError, match="refused the recipient"),
    ):
        connection.deliver(a_mail(recipient=recipient))

    assert server.state.messages == []


def test_goodbye_that_fails_hides_nothing(server: SmtpServer, certificate: Certificate) -> None:
    connection = a_connection(a_relay(server, certificate.authority))
    connection.open()
    connection.deliver(a_mail())
    server.stop()

    connection.close()

    assert len(server.state.messages) == 1
