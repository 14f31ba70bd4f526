"""Logging in: one mechanism, once; with a password, a token, or not at all."""

import base64
from collections.abc import Iterator

import pytest

from mailer.smtp.errors import DeliveryError, Scope, Stage
from tests.integration.faulty_relay import AMail, FaultyRelay, faulty_relay
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
    """A server with STARTTLS, that others wrote."""
    with running_server(certificate) as running:
        yield running


@pytest.fixture
def relay(certificate: Certificate) -> Iterator[FaultyRelay]:
    """A server that does as it is told."""
    with faulty_relay(certificate) as running:
        yield running


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_wrong_password_is_tried_once_and_told_with_the_servers_reply(
    server: SmtpServer, certificate: Certificate
) -> None:
    connection = a_connection(a_relay(server, certificate.authority), password="wrong")

    with pytest.raises(DeliveryError, match=r"refused the login: 535 5\.7\.8") as raised:
        connection.open()

    assert (raised.value.stage, raised.value.code) == (Stage.LOGIN, 535)
    assert (raised.value.scope, raised.value.cause) == (Scope.ACCOUNT, "login")
    assert server.state.logins == [{"user": USER, "accepted": False}]


def test_server_that_quotes_the_login_does_not_get_the_password_into_the_log(
    server: SmtpServer, certificate: Certificate
) -> None:
    login = in_base64(f"\0{USER}\0{PASSWORD}")
    server.state.behave(auth=f"535 5.7.8 what is AUTH PLAIN {login}")

    with pytest.raises(DeliveryError) as raised:
        a_connection(a_relay(server, certificate.authority)).open()

    assert login not in str(raised.value)
    assert "AUTH PLAIN [...]" in str(raised.value)


@pytest.mark.parametrize(
    ("offered", "given"),
    [
        pytest.param(
            "AUTH LOGIN PLAIN", "PLAIN " + in_base64("\0tester\0correct-horse"), id="both"
        ),
        pytest.param(
            "AUTH LOGIN", f"LOGIN {in_base64('tester')} {in_base64('correct-horse')}", id="LOGIN"
        ),
    ],
)
def test_one_of_the_ways_that_are_offered_is_taken(
    relay: FaultyRelay, offered: str, given: str
) -> None:
    relay.behaviour.features = ("STARTTLS", offered)

    with relay.connection():
        pass

    assert relay.behaviour.logins == [given]


@pytest.mark.parametrize("offered", ["AUTH CRAM-MD5", "SIZE"])
def test_server_that_offers_no_way_that_we_know_is_the_accounts_trouble(
    relay: FaultyRelay, offered: str
) -> None:
    relay.behaviour.features = ("STARTTLS", offered)

    with pytest.raises(DeliveryError, match="does not offer AUTH PLAIN or LOGIN") as raised:
        relay.connection().open()

    assert (raised.value.scope, raised.value.cause) == (Scope.ACCOUNT, "login")
    assert relay.behaviour.logins == []


def test_relay_without_logins_gets_mail_without_one(relay: FaultyRelay) -> None:
    relay.behaviour.features = ("STARTTLS",)

    with relay.connection(login=None) as connection:
        connection.deliver(AMail())

    assert "AUTH" not in relay.behaviour.commands
    assert len(relay.behaviour.mails) == 1


def test_relay_that_wants_a_login_after_all_is_the_accounts_trouble(relay: FaultyRelay) -> None:
    relay.behaviour.faults = {"MAIL": "530 5.7.0 Authentication Required"}

    with relay.connection(login=None) as connection, pytest.raises(DeliveryError) as raised:
        connection.deliver(AMail())

    assert (raised.value.scope, raised.value.cause) == (Scope.ACCOUNT, "login")
