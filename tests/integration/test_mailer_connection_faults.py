"""Each stage of SMTP fails in each way that a server can fail, and no mail is lost or doubled."""

from collections.abc import Iterator

import pytest

from mailer.smtp import connection as connection_module
from mailer.smtp.errors import DeliveryError, Scope
from tests.integration.faulty_relay import (
    FEATURES,
    LONG_SECONDS,
    AMail,
    FaultyRelay,
    faulty_relay,
)
from tests.stack.smtp.certificates import Certificate, make_certificate

PATIENCE_SECONDS = 0.3
WAYS = ("4xx", "5xx", "421", "drop", "reset", "stall", "drip", "garbage", "long")
GOING_DOWN = "421 4.3.2 going down"
REFUSALS = {
    "CONNECT": ("450 4.3.2 later", "554 5.3.2 no"),
    "EHLO": ("450 4.3.0 later", "502 5.5.1 what?"),
    "STARTTLS": ("454 4.7.0 not now", "501 5.5.4 no"),
    "AUTH": ("451 4.3.0 later", "535 5.7.8 no"),
    "MAIL": ("451 4.3.0 later", "550 5.7.1 not you"),
    "RCPT": ("450 4.7.1 greylisted", "550 5.1.1 unknown"),
    "DATA": ("451 4.3.0 later", "554 5.6.0 no"),
    "END": ("451 4.3.0 later", "554 5.6.0 no"),
    "RSET": ("451 4.3.0 later", "500 5.5.1 no"),
    "QUIT": ("451 4.3.0 later", "500 5.5.1 no"),
}
# What a refusal means, for now and for good; everything else is the server's fault, for now.
MEANINGS = {
    "AUTH": (Scope.SERVER, Scope.ACCOUNT),
    "MAIL": (Scope.MESSAGE, Scope.SENDER),
    "RCPT": (Scope.RECIPIENT, Scope.RECIPIENT),
    "DATA": (Scope.MESSAGE, Scope.MESSAGE),
    "END": (Scope.MESSAGE, Scope.MESSAGE),
}
BEFORE_MAIL = ("CONNECT", "EHLO", "STARTTLS", "AUTH")
MAIL = ("MAIL", "RCPT", "DATA", "END")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the name by which the tests reach the server."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def server(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyRelay]:
    """A server that is well at first; nobody waits for its goodbye for long."""
    monkeypatch.setattr(connection_module, "MOMENT_SECONDS", PATIENCE_SECONDS)
    with faulty_relay(certificate) as running:
        yield running


def fault(stage: str, way: str) -> str:
    """Return what the server is told to do."""
    later, never = REFUSALS[stage]
    return {"4xx": later, "5xx": never, "421": GOING_DOWN}.get(way, way)


def meaning(stage: str, way: str) -> tuple[Scope, bool]:
    """Return the scope that the error is to have, and whether it is for good."""
    if way in {"4xx", "5xx"} and stage in MEANINGS:
        later, never = MEANINGS[stage]
        scope = never if way == "5xx" else later
        return scope, way == "5xx" and scope is not Scope.ACCOUNT
    if stage == "END" and way != "421":
        return Scope.UNSURE, False
    return Scope.SERVER, False


def patience(way: str) -> float:
    """Return how long to wait for a step: nothing hangs upon it, but where it is used up."""
    return PATIENCE_SECONDS if way in {"stall", "drip"} else LONG_SECONDS


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stage", BEFORE_MAIL)
def test_failure_before_the_mail_holds_all_mail_until_the_server_is_well(
    server: FaultyRelay, stage: str, way: str
) -> None:
    connection = server.connection(patience(way))
    server.behaviour.faults = {stage: fault(stage, way)}

    with pytest.raises(DeliveryError) as raised:
        connection.open()
    server.get_well()
    connection.open()
    connection.deliver(AMail())
    connection.close()

    assert (raised.value.scope, raised.value.permanent) == meaning(stage, way)
    assert raised.value.cause == ("login" if raised.value.scope is Scope.ACCOUNT else "server")
    assert len(server.behaviour.mails) == 1


@pytest.mark.parametrize("features", [FEATURES, (*FEATURES, "PIPELINING")], ids=["", "pipelined"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stage", MAIL)
def test_failure_amid_a_mail_is_whose_it_is_and_the_next_mail_goes(
    server: FaultyRelay, stage: str, way: str, features: tuple[str, ...]
) -> None:
    server.behaviour.features = features
    connection = server.connection(patience(way))
    connection.open()
    server.behaviour.faults = {stage: fault(stage, way)}

    with pytest.raises(DeliveryError) as raised:
        connection.deliver(AMail())
    arrived = len(server.behaviour.mails)
    if connection.host is not None:  # kept, so the next mail goes over it
        server.behaviour.faults = {}
        server.hurry(LONG_SECONDS)
    else:
        server.get_well()
    connection.open()
    connection.deliver(AMail(b"Subject: next\r\n"))
    connection.close()

    assert (raised.value.scope, raised.value.permanent) == meaning(stage, way)
    assert arrived == (raised.value.scope is Scope.UNSURE)
    assert server.behaviour.mails[-1] == b"Subject: next\r\n"


@pytest.mark.parametrize("way", ["552 5.3.4 too big", GOING_DOWN, "drop", "reset", "stall"])
def test_failure_amid_the_content_is_never_unsure(server: FaultyRelay, way: str) -> None:
    large = b"Subject: hello\r\n\r\n" + b"0123456789abcde\r\n" * 1_000_000
    connection = server.connection(patience(way))
    connection.open()
    server.behaviour.faults = {"BODY": way}
    ended = []

    with pytest.raises(DeliveryError) as raised:
        connection.deliver(AMail(large), lambda: ended.append(True))
    server.get_well()
    connection.open()
    connection.deliver(AMail())
    connection.close()

    told = way.startswith("552")
    assert raised.value.scope is (Scope.MESSAGE if told else Scope.SERVER)
    assert raised.value.permanent is told
    assert ended == []
    assert len(server.behaviour.mails) == 1


@pytest.mark.parametrize("way", WAYS)
def test_connection_that_cannot_be_made_fit_again_is_replaced(
    server: FaultyRelay, way: str
) -> None:
    connection = server.connection(patience(way))
    connection.open()
    server.behaviour.faults = {"RCPT": "550 5.1.1 unknown", "RSET": fault("RSET", way)}

    with pytest.raises(DeliveryError) as raised:
        connection.deliver(AMail())
    server.get_well()
    connection.open()
    connection.deliver(AMail())
    connection.close()

    assert raised.value.scope is Scope.RECIPIENT
    assert server.behaviour.connections == 1
    assert len(server.behaviour.mails) == 1


@pytest.mark.parametrize("way", WAYS)
def test_goodbye_that_fails_hides_nothing(server: FaultyRelay, way: str) -> None:
    connection = server.connection()
    connection.open()
    server.behaviour.faults = {"QUIT": fault("QUIT", way)}

    connection.deliver(AMail())
    connection.close()

    assert connection.host is None
    assert len(server.behaviour.mails) == 1
