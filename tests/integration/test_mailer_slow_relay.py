"""A relay that is alive and slow is given up as a whole, and not only step by step."""

import time
from datetime import UTC, datetime

import pytest

from mailer.connection import RelayConnection
from mailer.errors import DeliveryError, RelayError
from mailer.outbox import Mail
from mailer.relay import Relay
from mailer.tls import tls_context
from tests.integration.slow_relay import LATE_SECONDS, SlowRelay, slow_relay
from tests.integration.smtp_server import a_connection
from tests.stack.smtp.certificates import Certificate, make_certificate

TIMEOUT_SECONDS = 2.5 * LATE_SECONDS  # two late steps are fine, three are not
OVER_SECONDS = TIMEOUT_SECONDS + 1.5  # for a machine that is busy
LOGIN = ("CONNECT", "EHLO", "AUTH")
MAIL = ("MAIL", "RCPT", "DATA", "CONTENT")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the name by which the tests reach the server."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


def a_mail(raw: bytes = b"Subject: hello\r\n\r\nhello\r\n") -> Mail:
    return Mail(
        id=1,
        message_id="<1@example.org>",
        kind="test",
        sender="us@example.org",
        recipient="alice@example.net",
        raw=raw,
        attempts=0,
        request_id=None,
        leased_until=datetime.now(UTC),
    )


def connection_to(server: SlowRelay, certificate: Certificate) -> RelayConnection:
    relay = Relay(
        server="localhost",
        port=server.port,
        starttls=False,
        tls_at_once=True,
        timeout_seconds=TIMEOUT_SECONDS,
        context=tls_context(certificate.authority),
    )
    return a_connection(relay)


@pytest.mark.parametrize(
    ("way", "slow_at"),
    [
        pytest.param("late", LOGIN, id="each step is late"),
        pytest.param("endless", ("CONNECT",), id="an endless greeting"),
        pytest.param("endless", ("AUTH",), id="an endless reply to the login"),
    ],
)
def test_slow_login_is_given_up_in_time(
    certificate: Certificate, way: str, slow_at: tuple[str, ...]
) -> None:
    with slow_relay(certificate, way, *slow_at) as server:
        connection = connection_to(server, certificate)

        started = time.monotonic()
        with pytest.raises(RelayError, match="timed out"):
            connection.open()

    assert time.monotonic() - started < OVER_SECONDS


@pytest.mark.parametrize(
    ("way", "slow_at"),
    [
        pytest.param("late", MAIL, id="each step is late"),
        pytest.param("endless", ("RCPT",), id="an endless reply to a command"),
        pytest.param("endless", ("CONTENT",), id="an endless reply to the mail"),
        pytest.param("deaf", (), id="the mail is hardly read"),
    ],
)
def test_slow_delivery_is_given_up_in_time(
    certificate: Certificate, way: str, slow_at: tuple[str, ...]
) -> None:
    large = b"Subject: hello\r\n\r\n" + b"0123456789abcde\r\n" * 1_000_000
    with slow_relay(certificate, way, *slow_at) as server:
        connection = connection_to(server, certificate)
        connection.open()

        started = time.monotonic()
        with pytest.raises(DeliveryError):
            connection.deliver(a_mail(large if way == "deaf" else b"Subject: hello\r\n"))
        elapsed = time.monotonic() - started
        connection.close()

    assert elapsed < OVER_SECONDS


def test_time_is_given_anew_to_the_login_and_to_each_mail(certificate: Certificate) -> None:
    with slow_relay(certificate, "late", "EHLO", "AUTH", "RCPT", "CONTENT") as server:
        connection = connection_to(server, certificate)
        connection.open()

        codes = [connection.deliver(a_mail()).code for _ in range(3)]
        connection.close()

    assert codes == [250, 250, 250]
