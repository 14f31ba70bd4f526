"""XOAUTH2: tokens from an endpoint over HTTP, and what comes of one that is refused."""

import base64
import contextlib
import math
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailer.settings import Settings
from mailer.smtp.account import Account
from mailer.smtp.connection import RelayConnection
from mailer.smtp.credentials import Token
from mailer.smtp.errors import DeliveryError, Scope
from mailer.smtp.oauth import Client, Tokens
from mailer.smtp.tls import tls_context
from tests.integration.faulty_relay import AMail, FaultyRelay, faulty_relay
from tests.integration.token_endpoint import GOOD, TokenEndpoint, token_endpoint
from tests.ports import free_port
from tests.stack.smtp.certificates import Certificate, make_certificate

DATABASE = "postgresql://mailer:secret@db/keelson?sslmode=verify-full"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the name by which the tests reach the server."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def relay(certificate: Certificate) -> Iterator[FaultyRelay]:
    """A server that takes the first token."""
    with faulty_relay(certificate) as running:
        running.behaviour.features = ("STARTTLS", "AUTH PLAIN LOGIN XOAUTH2")
        running.behaviour.token = "token-1"
        yield running


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    """An endpoint that gives the first token."""
    with token_endpoint() as running:
        yield running


@dataclass
class Bob:
    """An account whose refresh token is in a file."""

    account: Account
    file: Path


@pytest.fixture
def bob(endpoint: TokenEndpoint, tmp_path: Path) -> Bob:
    """The account, at that endpoint."""
    file = tmp_path / "refresh_token"
    file.write_text("refresh-1\n", encoding="utf-8")
    settings = Settings.read(
        database_url=DATABASE,
        mail_auth="xoauth2",
        mail_username="bob@gmail.com",
        mail_oauth_token_url=endpoint.url,
        mail_oauth_client_id="us",
        mail_oauth_client_secret="our-secret",
        mail_oauth_refresh_token="refresh-1",
    )
    files = {"mail_oauth_refresh_token": file}
    return Bob(Account(settings, files, tls_context(None)), file)


def tokens_at(url: str, clock: list[float]) -> Tokens:
    client = Client("bob@gmail.com", "us", lambda: None, lambda: None)
    return Tokens(url, client, 0.5, tls_context(None), now=lambda: clock[0])


def a_token(account: Account) -> Token:
    token = account()
    assert isinstance(token, Token)
    return token


def test_token_is_bought_and_logs_us_in(
    relay: FaultyRelay, endpoint: TokenEndpoint, bob: Bob
) -> None:
    with RelayConnection(relay.relay(), bob.account) as connection:
        connection.deliver(AMail())

    (login,) = relay.behaviour.logins
    mechanism, _, given = login.partition(" ")
    assert mechanism == "XOAUTH2"
    assert base64.b64decode(given) == b"user=bob@gmail.com\1auth=Bearer token-1\1\1"
    assert endpoint.forms == [
        {
            "grant_type": "refresh_token",
            "client_id": "us",
            "client_secret": "our-secret",
            "refresh_token": "refresh-1",
        }
    ]
    assert len(relay.behaviour.mails) == 1


def test_one_token_serves_many_logins(
    relay: FaultyRelay, endpoint: TokenEndpoint, bob: Bob
) -> None:
    for _ in range(3):
        with RelayConnection(relay.relay(), bob.account):
            pass

    assert len(relay.behaviour.logins) == 3
    assert len(endpoint.forms) == 1


def test_refused_token_is_renewed_once(
    relay: FaultyRelay, endpoint: TokenEndpoint, bob: Bob
) -> None:
    bob.account()
    endpoint.answer = {**GOOD, "access_token": "token-2"}
    relay.behaviour.token = "token-2"

    with RelayConnection(relay.relay(), bob.account) as connection:
        connection.deliver(AMail())

    assert len(relay.behaviour.logins) == len(endpoint.forms) == 2


def test_renewed_token_that_is_refused_too_is_the_accounts_trouble(
    relay: FaultyRelay, endpoint: TokenEndpoint, bob: Bob
) -> None:
    relay.behaviour.token = "another"

    with pytest.raises(DeliveryError, match=r"refused the login: 535 5\.7\.8") as raised:
        RelayConnection(relay.relay(), bob.account).open()

    assert (raised.value.scope, raised.value.cause) == (Scope.ACCOUNT, "login")
    assert len(relay.behaviour.logins) == len(endpoint.forms) == 2


def test_relay_without_xoauth2_is_told_no_token(relay: FaultyRelay, bob: Bob) -> None:
    relay.behaviour.features = ("STARTTLS", "AUTH PLAIN")

    with pytest.raises(DeliveryError, match="does not offer AUTH XOAUTH2") as raised:
        RelayConnection(relay.relay(), bob.account).open()

    assert raised.value.scope is Scope.ACCOUNT
    assert relay.behaviour.logins == []


def test_token_is_renewed_shortly_before_its_end(endpoint: TokenEndpoint) -> None:
    clock = [1000.0]
    tokens = tokens_at(endpoint.url, clock)
    asked = []

    for seconds in (0, 3538, 1):
        clock[0] += seconds
        tokens.current()
        asked.append(len(endpoint.forms))

    assert asked == [1, 1, 2]


@pytest.mark.parametrize("seconds", [10**400, math.inf, math.nan])
def test_token_without_an_end_is_renewed_after_a_day(
    endpoint: TokenEndpoint, seconds: float
) -> None:
    endpoint.answer = {**GOOD, "expires_in": seconds}
    clock = [1000.0]
    tokens = tokens_at(endpoint.url, clock)
    asked = []

    for later in (0, 80_000, 80_000):
        clock[0] += later
        tokens.current()
        asked.append(len(endpoint.forms))

    assert asked == [1, 1, 2]


@pytest.mark.parametrize("seconds", [0, -(10**400)])
def test_token_that_ends_at_once_is_used_once(endpoint: TokenEndpoint, seconds: int) -> None:
    endpoint.answer = {**GOOD, "expires_in": seconds}
    tokens = tokens_at(endpoint.url, [1000.0])

    values = [tokens.current().value.get_secret_value() for _ in range(2)]

    assert values == ["token-1", "token-1"]
    assert len(endpoint.forms) == 2


def test_threads_that_were_refused_together_renew_once(endpoint: TokenEndpoint) -> None:
    tokens = tokens_at(endpoint.url, [1000.0])
    old = tokens.current()
    endpoint.answer = {**GOOD, "access_token": "token-2"}
    threads = [threading.Thread(target=old.renewed) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(endpoint.forms) == 2
    assert tokens.current().value.get_secret_value() == "token-2"


def test_token_that_could_not_be_renewed_is_not_taken_for_one(endpoint: TokenEndpoint) -> None:
    old = tokens_at(endpoint.url, [1000.0]).current()
    endpoint.status = 503
    with pytest.raises(DeliveryError):
        old.renewed()

    with pytest.raises(DeliveryError, match="503"):
        old.renewed()


def test_changed_refresh_token_is_taken_over(endpoint: TokenEndpoint, bob: Bob) -> None:
    before = bob.account.fingerprint()
    token = a_token(bob.account)

    bob.file.write_text("refresh-2\n", encoding="utf-8")
    token.renewed()

    assert [form["refresh_token"] for form in endpoint.forms] == ["refresh-1", "refresh-2"]
    assert bob.account.fingerprint() != before


@pytest.mark.parametrize(
    ("status", "answer", "scope"),
    [
        pytest.param(400, {"error": "invalid_grant"}, Scope.ACCOUNT, id="consent withdrawn"),
        pytest.param(401, {"error": "invalid_client"}, Scope.ACCOUNT, id="our secret is wrong"),
        pytest.param(400, {"error": "slow_down"}, Scope.SERVER, id="another error"),
        pytest.param(
            503,
            {"error": {"code": 503, "status": "UNAVAILABLE"}},
            Scope.SERVER,
            id="Google's way to say it",
        ),
        pytest.param(400, {"error": ["invalid_grant"]}, Scope.SERVER, id="a list for an error"),
        pytest.param(400, b"[" * 60_000, Scope.SERVER, id="a bottomless error"),
        pytest.param(403, b"<html>", Scope.SERVER, id="no JSON in an error"),
        pytest.param(429, {}, Scope.SERVER, id="too often"),
        pytest.param(503, b"", Scope.SERVER, id="out of order"),
        pytest.param(200, b"<html>", Scope.SERVER, id="no JSON"),
        pytest.param(200, ["token-1"], Scope.SERVER, id="no object"),
        pytest.param(200, {"expires_in": 1}, Scope.SERVER, id="no token"),
        pytest.param(200, {"access_token": "", "expires_in": 1}, Scope.SERVER, id="empty token"),
        pytest.param(200, {**GOOD, "expires_in": "soon"}, Scope.SERVER, id="no number"),
        pytest.param(200, b"[" * 60_000, Scope.SERVER, id="bottomless"),
    ],
)
def test_endpoint_that_gives_no_token_says_whose_fault_it_is(
    endpoint: TokenEndpoint, bob: Bob, status: int, answer: object, scope: Scope
) -> None:
    endpoint.status, endpoint.answer = status, answer

    with pytest.raises(DeliveryError, match="gave no access token") as raised:
        bob.account()

    assert raised.value.scope is scope
    assert raised.value.cause == ("login" if scope is Scope.ACCOUNT else "server")
    assert "refresh-1" not in str(raised.value)
    assert "our-secret" not in str(raised.value)


def test_endpoint_that_is_down_is_trouble_of_the_servers() -> None:
    tokens = tokens_at(f"http://127.0.0.1:{free_port()}/", [1000.0])

    with pytest.raises(DeliveryError, match=r"gave no access token: .*refused") as raised:
        tokens.current()

    assert (raised.value.scope, raised.value.cause) == (Scope.SERVER, "server")


def test_token_is_asked_for_over_tls_that_is_verified(certificate: Certificate) -> None:
    with token_endpoint(certificate) as endpoint:
        client = Client("bob@gmail.com", "us", lambda: None, lambda: None)
        trusting = Tokens(endpoint.url, client, 5, tls_context(certificate.authority))

        token = trusting.current()

        assert token.value.get_secret_value() == "token-1"
        with pytest.raises(DeliveryError, match="CERTIFICATE_VERIFY_FAILED"):
            Tokens(endpoint.url, client, 5, tls_context(None)).current()
        assert len(endpoint.forms) == 1


def test_endpoint_that_is_silent_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tokens = tokens_at(f"http://127.0.0.1:{silent.getsockname()[1]}/", [1000.0])

        with pytest.raises(DeliveryError, match="gave no access token: timed out") as raised:
            tokens.current()

    assert raised.value.scope is Scope.SERVER


@pytest.mark.parametrize("status", [200, 400, 503])
def test_endpoint_that_stalls_amid_its_answer_is_given_up_in_time(
    endpoint: TokenEndpoint, status: int
) -> None:
    endpoint.status, endpoint.held_back = status, 1

    with pytest.raises(DeliveryError, match="gave no access token: timed out") as raised:
        tokens_at(endpoint.url, [1000.0]).current()

    assert raised.value.scope is Scope.SERVER


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"HTTP/1.1 200 ", id="amid the status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", id="amid a header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", id="amid the content"),
        pytest.param(b"HTTP/1.1 500 No\r\nContent-Length: 60000\r\n\r\n", id="amid an error"),
    ],
)
def test_endpoint_that_drips_is_given_up_in_time(beginning: bytes) -> None:
    with dripping_endpoint(beginning) as (url, gone):
        with pytest.raises(DeliveryError, match="gave no access token: timed out") as raised:
            tokens_at(url, [1000.0]).current()
        assert gone.wait(30)

    assert raised.value.scope is Scope.SERVER


def test_what_the_endpoint_says_is_told_in_one_line_without_our_secrets(
    endpoint: TokenEndpoint, bob: Bob
) -> None:
    endpoint.status = 400
    endpoint.answer = {"error": "no\x00\nrefresh-1 of our-secret " + "x" * 5000}

    with pytest.raises(DeliveryError) as raised:
        bob.account()

    assert ": 400 no [...] of [...] xxx" in str(raised.value)
    assert len(str(raised.value)) < 500


def test_token_of_a_place_that_is_none_is_trouble_of_the_servers() -> None:
    with pytest.raises(DeliveryError, match="gave no access token") as raised:
        tokens_at("http://" + "x" * 70 + ".example:99999/", [1000.0]).current()

    assert raised.value.scope is Scope.SERVER


@contextlib.contextmanager
def dripping_endpoint(beginning: bytes) -> Iterator[tuple[str, threading.Event]]:
    """Answer with the beginning and then a byte at a time, without end; `gone`: nobody reads it."""
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            asking, _ = listening.accept()
            with asking, contextlib.suppress(OSError):
                asking.sendall(beginning)
                for _ in range(100):
                    if gone.wait(0.1):
                        return
                    asking.sendall(b"x")
            gone.set()

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/", gone
        finally:
            gone.set()
            thread.join()


@pytest.mark.parametrize("status", [302, 307])
def test_no_other_place_is_believed(endpoint: TokenEndpoint, bob: Bob, status: int) -> None:
    with token_endpoint() as elsewhere:
        endpoint.status, endpoint.location = status, elsewhere.url

        with pytest.raises(DeliveryError, match=str(status)):
            bob.account()

        assert elsewhere.forms == []
