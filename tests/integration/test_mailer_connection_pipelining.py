"""Commands that go at once (RFC 2920), and their replies, each for its own."""

from collections.abc import Iterator

import pytest

from mailer.smtp.errors import DeliveryError, Scope, Stage
from tests.integration.faulty_relay import FEATURES, AMail, FaultyRelay, faulty_relay
from tests.stack.smtp.certificates import Certificate, make_certificate


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the name by which the tests reach the server."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def relay(certificate: Certificate) -> Iterator[FaultyRelay]:
    """A server that offers PIPELINING."""
    with faulty_relay(certificate) as running:
        running.behaviour.features = (*FEATURES, "PIPELINING")
        yield running


def test_commands_go_at_once_only_where_that_is_offered(relay: FaultyRelay) -> None:
    """One that must not send ahead stops at the refusal; the other has sent DATA by then."""
    relay.behaviour.faults = {"RCPT": "550 5.1.1 unknown"}
    with relay.connection() as connection, pytest.raises(DeliveryError):
        connection.deliver(AMail())
    at_once = relay.behaviour.commands.count("DATA")

    relay.behaviour.features = FEATURES
    with relay.connection() as connection, pytest.raises(DeliveryError):
        connection.deliver(AMail())

    assert at_once == 1
    assert relay.behaviour.commands.count("DATA") == at_once


@pytest.mark.parametrize(
    ("faults", "stage", "scope"),
    [
        pytest.param(
            {"RCPT": "550 5.1.1 unknown"},
            Stage.RECIPIENT,
            Scope.RECIPIENT,
            id="DATA gets 503, which is not what is told",
        ),
        pytest.param(
            {"MAIL": "451 4.3.0 later"},
            Stage.SENDER,
            Scope.MESSAGE,
            id="RCPT and DATA get 503, which is not what is told",
        ),
        pytest.param(
            {"DATA": "451 4.3.0 later"}, Stage.CONTENT, Scope.MESSAGE, id="DATA is refused"
        ),
    ],
)
def test_first_refusal_explains_the_others(
    relay: FaultyRelay, faults: dict[str, str], stage: Stage, scope: Scope
) -> None:
    relay.behaviour.fails_once = faults
    connection = relay.connection()
    connection.open()

    with pytest.raises(DeliveryError) as raised:
        connection.deliver(AMail())
    connection.deliver(AMail(b"Subject: next\r\n"))
    connection.close()

    assert (raised.value.stage, raised.value.scope) == (stage, scope)
    assert relay.behaviour.mails == [b"Subject: next\r\n"]
    assert relay.behaviour.connections == 1


def test_relay_that_wants_content_for_nobody_gets_none_and_the_next_mail_goes(
    relay: FaultyRelay,
) -> None:
    relay.behaviour.eager = True
    relay.behaviour.fails_once = {"RCPT": "450 4.7.1 greylisted"}
    connection = relay.connection()
    connection.open()
    ended: list[bool] = []

    with pytest.raises(DeliveryError, match="greylisted") as raised:
        connection.deliver(AMail(), lambda: ended.append(True))
    connection.deliver(AMail(b"Subject: next\r\n"))
    connection.close()

    assert raised.value.scope is Scope.RECIPIENT
    assert ended == []
    assert relay.behaviour.mails == [b"Subject: next\r\n"]
    assert relay.behaviour.connections == 1


def test_relay_that_wants_content_without_a_sender_is_hung_up_on(relay: FaultyRelay) -> None:
    """It has a recipient, who would get an empty mail."""
    relay.behaviour.eager = True
    relay.behaviour.fails_once = {"MAIL": "451 4.3.0 later"}
    connection = relay.connection()
    connection.open()

    with pytest.raises(DeliveryError) as raised:
        connection.deliver(AMail())

    assert connection.host is None
    assert raised.value.scope is Scope.MESSAGE
    assert relay.behaviour.mails == []
