"""Nothing secret is said to a server that is not the one meant."""

import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.smtp.conversation import Conversation
from mailer.smtp.deadline import Deadline
from mailer.smtp.errors import DeliveryError, Scope, Stage
from mailer.smtp.tls import tls_context
from tests.authority import another_authority
from tests.integration.faulty_relay import AMail
from tests.integration.smtp_server import USER, a_connection, a_relay, running_server
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


def test_tls_from_the_first_byte_works_as_well(certificate: Certificate) -> None:
    with running_server(certificate, tls_at_once=True) as server:
        with a_connection(a_relay(server, certificate.authority, tls_at_once=True)) as connection:
            connection.deliver(AMail())

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
        with pytest.raises(DeliveryError, match=r"not trusted, so nothing was sent.*MAIL_CA_FILE"):
            connection.open()

        assert server.state.logins == []


@pytest.mark.parametrize("tls_at_once", [False, True], ids=["STARTTLS", "TLS at once"])
def test_server_with_another_name_is_never_told_the_password(
    tmp_path: Path, tls_at_once: bool
) -> None:
    certificate = make_certificate(tmp_path, "other.example")

    with running_server(certificate, tls_at_once=tls_at_once) as server:
        relay = a_relay(server, certificate.authority, tls_at_once=tls_at_once)
        with pytest.raises(DeliveryError, match="Hostname mismatch") as raised:
            a_connection(relay).open()

        assert server.state.logins == []
    assert raised.value.scope is Scope.SERVER


def test_server_without_starttls_is_never_told_the_password(
    server: SmtpServer, certificate: Certificate
) -> None:
    server.state.behave(starttls="absent")

    with pytest.raises(DeliveryError, match="failed at the STARTTLS: it does not offer") as raised:
        a_connection(a_relay(server, certificate.authority)).open()

    assert raised.value.scope is Scope.SERVER
    assert server.state.logins == []


def test_nobody_listening_is_trouble_with_the_relay(
    server: SmtpServer, certificate: Certificate
) -> None:
    server.stop()

    with pytest.raises(DeliveryError, match=r"failed at the connection: .*refused") as raised:
        a_connection(a_relay(server, certificate.authority)).open()

    assert (raised.value.stage, raised.value.cause) == (Stage.CONNECT, "server")


def test_words_slipped_in_before_tls_are_not_taken_for_the_servers() -> None:
    """They came in the clear: from anybody between us and the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        deadline = Deadline()
        deadline.start(10)
        host = Conversation(deadline)
        host.reach("127.0.0.1", listener.getsockname()[1])
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"220 hello\r\n")
            host.getreply()
            host.esmtp_features = {"starttls": ""}
            peer.sendall(b"220 go on\r\n250 AUTH PLAIN\r\n")

            with pytest.raises(smtplib.SMTPException, match="spoke on in the clear"):
                host.ask_for_tls(tls_context(None))
        host.close()
