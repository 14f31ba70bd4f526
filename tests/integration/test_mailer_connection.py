"""The connection against a real SMTP server that is well: what arrives, and over which connection."""

from collections.abc import Iterator

import pytest

from mailer.smtp.errors import DeliveryError, Scope
from mailer.smtp.transaction import PORTION
from tests.integration.faulty_relay import FEATURES, AMail, FaultyRelay, faulty_relay
from tests.integration.smtp_server import USER, a_connection, a_relay, running_server
from tests.stack.smtp.certificates import Certificate, make_certificate
from tests.stack.smtp.server import SmtpServer
from tests.waiting import eventually

HEAD = b"Subject: x\r\n\r\n"
LINE = b"a" * 62 + b"\r\n"
LONG = HEAD + LINE * (PORTION // len(LINE) - 1)
CORPUS = [
    pytest.param(HEAD + b".\r\n..\r\n.hidden\r\n", id="leading dots"),
    pytest.param(HEAD + "\u00e4\u00f6\u00fc \u2713\r\n".encode(), id="eight bits"),
    pytest.param(HEAD + b"a" * 998 + b"\r\n", id="long line"),
    pytest.param(HEAD + b".23456789abcde\r\n" * 100_000, id="1.6 MB of leading dots"),
    pytest.param(LONG + b"b" * (PORTION - len(LONG) - 2) + b"\r\n", id="one portion"),
    pytest.param(LONG + b"b" * (PORTION - len(LONG) - 1) + b"\r\n", id="line end across portions"),
    pytest.param(HEAD, id="empty body"),
]


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


class FakeClock:
    """Seconds that pass when the test says so."""

    seconds = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


def test_mail_goes_over_tls_with_a_login(server: SmtpServer, certificate: Certificate) -> None:
    with a_connection(a_relay(server, certificate.authority)) as connection:
        reply = connection.deliver(AMail())

    (received,) = server.state.messages
    assert reply.code == 250
    assert received.tls in {"TLSv1.2", "TLSv1.3"}
    assert received.user == USER
    assert (received.sender, received.recipients) == ("us@example.org", ["alice@example.net"])


@pytest.mark.parametrize("raw", CORPUS)
def test_mail_arrives_byte_for_byte(
    server: SmtpServer, certificate: Certificate, raw: bytes
) -> None:
    with a_connection(a_relay(server, certificate.authority)) as connection:
        connection.deliver(AMail(raw))

    assert server.state.messages[0].raw == raw


@pytest.mark.parametrize("raw", CORPUS)
def test_mail_arrives_byte_for_byte_where_commands_go_at_once(
    relay: FaultyRelay, raw: bytes
) -> None:
    relay.behaviour.features = (*FEATURES, "PIPELINING")

    with relay.connection() as connection:
        connection.deliver(AMail(raw))

    assert relay.behaviour.mails == [raw]


def test_one_login_serves_many_mails_with_nothing_between_them(relay: FaultyRelay) -> None:
    connection = relay.connection()

    for _ in range(3):
        connection.open()
        connection.deliver(AMail())
    connection.close()

    first = ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert relay.behaviour.commands == [*first, *["MAIL", "RCPT", "DATA"] * 3, "QUIT"]


def test_connection_is_renewed_before_the_relay_tires_of_it(relay: FaultyRelay) -> None:
    clock = FakeClock()
    connection = relay.connection(now=clock)

    for _ in range(32):
        connection.open()
        connection.deliver(AMail())
        clock.seconds += 10
    connection.close()

    assert relay.behaviour.connections == 2
    assert len(relay.behaviour.mails) == 32


@pytest.mark.parametrize(("idle_seconds", "asked"), [(10, 0), (11, 1)])
def test_relay_is_asked_whether_it_is_there_after_a_while(
    relay: FaultyRelay, idle_seconds: float, asked: int
) -> None:
    clock = FakeClock()
    connection = relay.connection(now=clock)
    connection.open()
    connection.deliver(AMail())

    clock.seconds += idle_seconds
    connection.open()
    connection.close()

    assert relay.behaviour.commands.count("NOOP") == asked
    assert relay.behaviour.connections == 1


@pytest.mark.parametrize("way", ["drop", "reset", "421 4.4.2 idle", "500 5.5.1 what?", "garbage"])
def test_relay_that_is_no_longer_there_is_replaced_in_silence(relay: FaultyRelay, way: str) -> None:
    clock = FakeClock()
    connection = relay.connection(now=clock)
    connection.open()
    connection.deliver(AMail())
    relay.behaviour.faults = {"NOOP": way}

    clock.seconds += 11
    connection.open()
    connection.deliver(AMail())
    connection.close()

    assert relay.behaviour.connections == 2
    assert len(relay.behaviour.mails) == 2


@pytest.mark.parametrize("way", ["drop", "reset", "421 4.4.2 idle"])
@pytest.mark.parametrize("features", [FEATURES, (*FEATURES, "PIPELINING")], ids=["", "pipelined"])
def test_relay_that_hangs_up_on_the_next_mail_is_called_again(
    relay: FaultyRelay, way: str, features: tuple[str, ...]
) -> None:
    relay.behaviour.features = features
    connection = relay.connection()
    connection.open()
    connection.deliver(AMail())
    relay.behaviour.fails_once = {"MAIL": way}

    reply = connection.deliver(AMail(b"Subject: next\r\n"))
    connection.close()

    assert reply.code == 250
    assert relay.behaviour.connections == 2
    assert relay.behaviour.mails[1:] == [b"Subject: next\r\n"]


def test_relay_that_hung_up_since_the_last_mail_is_noticed_before_the_next(
    relay: FaultyRelay,
) -> None:
    connection = relay.connection()
    connection.open()
    connection.deliver(AMail())
    host = connection.host
    relay.hang_up_on_all()

    eventually(lambda: host and host.is_disturbed(), seconds=10)
    connection.open()

    assert connection.host is not host
    assert relay.behaviour.connections == 2
    connection.close()


def test_relay_that_wants_fewer_of_us_is_not_called_again(relay: FaultyRelay) -> None:
    connection = relay.connection()
    connection.open()
    connection.deliver(AMail())
    relay.behaviour.fails_once = {"MAIL": "421 4.7.0 too fast"}

    with pytest.raises(DeliveryError) as raised:
        connection.deliver(AMail())

    assert raised.value.slow_down
    assert relay.behaviour.connections == 1


def test_refused_mail_does_not_cost_the_login(relay: FaultyRelay) -> None:
    connection = relay.connection()
    connection.open()
    relay.behaviour.fails_once = {"RCPT": "550 5.1.1 unknown"}
    with pytest.raises(DeliveryError):
        connection.deliver(AMail())

    connection.open()
    connection.deliver(AMail())
    connection.close()

    assert relay.behaviour.commands.count("AUTH") == 1
    assert relay.behaviour.commands.count("RSET") == 1


@pytest.mark.parametrize("features", [FEATURES, (*FEATURES, "PIPELINING")], ids=["", "pipelined"])
def test_mail_that_may_not_end_leaves_nothing_behind(
    relay: FaultyRelay, features: tuple[str, ...]
) -> None:
    relay.behaviour.features = features
    connection = relay.connection()
    connection.open()

    def not_ours() -> None:
        raise OSError("not ours any more")

    with pytest.raises(OSError, match="not ours any more"):
        connection.deliver(AMail(), not_ours)
    still_open = connection.host
    connection.open()
    connection.deliver(AMail(b"Subject: next\r\n"))
    connection.close()

    eventually(lambda: relay.behaviour.torn, seconds=10)
    assert still_open is None
    assert relay.behaviour.torn == [b""]  # not even a goodbye, which would be content
    assert relay.behaviour.mails == [b"Subject: next\r\n"]


def test_relay_hears_of_the_end_only_after_we_are_told(relay: FaultyRelay) -> None:
    with relay.connection() as connection:
        arrived: list[int] = []

        connection.deliver(AMail(), lambda: arrived.append(len(relay.behaviour.mails)))

    assert arrived == [0]


def test_error_says_what_the_server_said_but_not_of_whom(relay: FaultyRelay) -> None:
    relay.behaviour.faults = {"RCPT": "550 5.1.1 <Alice@Example.net> is unknown"}

    with relay.connection() as connection, pytest.raises(DeliveryError) as raised:
        connection.deliver(AMail())

    assert str(raised.value).endswith("refused the recipient: 550 5.1.1 <[...]> is unknown")
    assert raised.value.code == 550


@pytest.mark.parametrize(
    ("reply", "is_gone"), [("550 5.1.1 unknown", True), ("550 Blocked by policy", False)]
)
def test_error_says_whether_there_is_such_an_address(
    relay: FaultyRelay, reply: str, *, is_gone: bool
) -> None:
    relay.behaviour.faults = {"RCPT": reply}

    with relay.connection() as connection, pytest.raises(DeliveryError) as raised:
        connection.deliver(AMail())

    assert raised.value.permanent
    assert raised.value.no_such_address is is_gone


@pytest.mark.parametrize("recipient", ["a@example.net\r\nDATA", "\u00e4@example.net"])
def test_address_that_smtp_cannot_hold_is_refused_and_costs_nothing(
    relay: FaultyRelay, recipient: str
) -> None:
    connection = relay.connection()
    connection.open()

    with pytest.raises(DeliveryError, match="failed at the recipient") as raised:
        connection.deliver(AMail(recipient=recipient))
    connection.deliver(AMail())
    connection.close()

    assert (raised.value.scope, raised.value.permanent) == (Scope.RECIPIENT, True)
    assert len(relay.behaviour.mails) == relay.behaviour.connections == 1


@pytest.mark.parametrize("recipient", ["a,b@example.net", "a:b;@example.net"])
def test_odd_address_is_never_taken_for_another(
    server: SmtpServer, certificate: Certificate, recipient: str
) -> None:
    with (
        a_connection(a_relay(server, certificate.authority)) as connection,
        pytest.raises(DeliveryError, match="refused the recipient"),
    ):
        connection.deliver(AMail(recipient=recipient))

    assert server.state.messages == []


def test_mail_without_a_connection_is_not_sent(relay: FaultyRelay) -> None:
    with pytest.raises(DeliveryError, match="not connected") as raised:
        relay.connection().deliver(AMail())

    assert raised.value.scope is Scope.SERVER
