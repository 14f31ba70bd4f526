"""A relay that is alive and slow has its time for each stage as a whole, and not for each byte."""

import time
from collections.abc import Iterator

import pytest

from mailer.smtp.errors import DeliveryError, Scope
from tests.integration.faulty_relay import LATE_SECONDS, AMail, FaultyRelay, faulty_relay
from tests.stack.smtp.certificates import Certificate, make_certificate

TIMEOUT_SECONDS = 2.5 * LATE_SECONDS  # for a stage; late in each of many is fine
OVER_SECONDS = TIMEOUT_SECONDS + 1.5  # for a machine that is busy
LOGIN = ("CONNECT", "EHLO", "AUTH")
MAIL = ("MAIL", "RCPT", "DATA", "END")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the name by which the tests reach the server."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def relay(certificate: Certificate) -> Iterator[FaultyRelay]:
    """A server that is slow where it is told to be."""
    with faulty_relay(certificate) as running:
        yield running


def test_each_stage_has_time_of_its_own(relay: FaultyRelay) -> None:
    """Together they take longer than one may."""
    relay.behaviour.faults = dict.fromkeys(LOGIN + MAIL, "late")
    connection = relay.connection(LATE_SECONDS * 4)
    connection.open()

    codes = [connection.deliver(AMail()).code for _ in range(2)]
    connection.close()

    assert codes == [250, 250]


@pytest.mark.parametrize("stage", LOGIN)
def test_reply_without_end_to_a_login_is_given_up_in_time(relay: FaultyRelay, stage: str) -> None:
    relay.behaviour.faults = {stage: "drip"}
    connection = relay.connection(TIMEOUT_SECONDS)

    started = time.monotonic()
    with pytest.raises(DeliveryError, match="timed out"):
        connection.open()

    assert time.monotonic() - started < OVER_SECONDS


@pytest.mark.parametrize(
    ("faults", "scope"),
    [
        pytest.param({"RCPT": "drip"}, Scope.SERVER, id="an endless reply to a command"),
        pytest.param({"END": "drip"}, Scope.UNSURE, id="an endless reply to the mail"),
        pytest.param({"BODY": "stall"}, Scope.SERVER, id="the mail is not read"),
    ],
)
def test_slow_delivery_is_given_up_in_time(
    relay: FaultyRelay, faults: dict[str, str], scope: Scope
) -> None:
    large = b"Subject: hello\r\n\r\n" + b"0123456789abcde\r\n" * 1_000_000
    connection = relay.connection()
    connection.open()
    relay.behaviour.faults = faults
    relay.hurry(TIMEOUT_SECONDS)

    started = time.monotonic()
    with pytest.raises(DeliveryError, match="timed out") as raised:
        connection.deliver(AMail(large if "BODY" in faults else b"Subject: hello\r\n"))

    assert time.monotonic() - started < OVER_SECONDS
    assert raised.value.scope is scope


def test_end_of_a_mail_is_waited_for_longer_than_a_command(relay: FaultyRelay) -> None:
    connection = relay.connection()
    connection.open()
    relay.behaviour.faults = {"END": "late"}
    relay.hurry(LATE_SECONDS / 2, LATE_SECONDS * 50)

    reply = connection.deliver(AMail())
    connection.close()

    assert reply.code == 250
