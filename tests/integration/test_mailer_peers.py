"""The connection against mail servers that others wrote: Debian's Postfix and OpenSMTPD."""

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from mailer.smtp.errors import DeliveryError, Scope, Stage
from tests.authority import another_authority
from tests.peers.peer import RECIPIENT, Peer, running_peer
from tests.waiting import eventually

SENDER = "us@example.com"
HEAD = (
    b"From: Keelson <us@example.com>\r\n"
    b"To: alice@example.org\r\n"
    b"Subject: hello\r\n"
    b"Date: Mon, 06 Jan 2025 12:00:00 +0000\r\n"
    b"Message-ID: <corpus@example.com>\r\n"
)
# What a server writes on top of what it takes: its trace (RFC 5321, 4.4), and for whom it was.
TRACE = re.compile(
    rb"(?:(?:Return-Path|X-Original-To|Delivered-To|Received):[^\n]*\n(?:[ \t][^\n]*\n)*)+"
)
ENCODED = (
    b"Subject: =?utf-8?q?Best=C3=A4tigung?= =?utf-8?b?4pyT?=\r\n"
    b"Reply-To: =?utf-8?q?B=C3=BCcher?= <hello@xn--bcher-kva.example>\r\n"
)
LONG_HEADER = b"References:" + b"".join(b"\r\n <%d@example.com>" % n for n in range(100)) + b"\r\n"
CORPUS = [
    pytest.param(b"\r\nhello\r\n", id="plain"),
    pytest.param(b"\r\n", id="empty body"),
    pytest.param(b"\r\nhello", id="no final line end"),
    pytest.param(b"\r\nhello\r\n\r\n\r\n", id="empty lines at the end"),
    pytest.param(b"\r\ntwo  \r\n \r\ntab\t\r\n", id="trailing spaces"),
    pytest.param(b"\r\n.hidden\r\n..twice\r\n...\r\n", id="leading dots"),
    pytest.param(b"\r\nabove\r\n.\r\nbelow\r\n.\r\n", id="lone dots"),
    pytest.param(b"\r\n.", id="nothing but a dot"),
    pytest.param(b"\r\n" + b"a" * 998 + b"\r\n", id="line of 998"),
    pytest.param(b"\r\n." + b"a" * 997 + b"\r\n", id="line of 998 that is one more on its way"),
    pytest.param(b"\r\nFrom me to you\r\n>From us\r\n", id="lines that mailboxes quote"),
    pytest.param(b"\r\nMAIL FROM:<x@example.com>\r\nQUIT\r\n", id="lines that look like commands"),
    pytest.param(
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + "\u00e4\u00f6\u00fc \u2713 \U0001f4ee\r\n".encode(),
        id="eight bits",
    ),
    pytest.param(ENCODED + b"\r\nhello\r\n", id="encoded words, and a domain in punycode"),
    pytest.param(LONG_HEADER + b"\r\nhello\r\n", id="header of a hundred lines"),
    pytest.param(b"\r\n" + (b"0123456789abcdef" * 4 + b"\r\n") * 160_000, id="ten megabytes"),
]
REFUSALS = [
    pytest.param(
        "unknown@example.org", (Stage.RECIPIENT, Scope.RECIPIENT, True, 550), id="unknown"
    ),
    pytest.param("grey@example.org", (Stage.RECIPIENT, Scope.RECIPIENT, False, 450), id="grey"),
    pytest.param("full@example.org", (Stage.RECIPIENT, Scope.RECIPIENT, False, 452), id="full"),
    pytest.param("quota@example.org", (Stage.RECIPIENT, Scope.QUOTA, False, 550), id="quota"),
]


@pytest.fixture(scope="module", params=["postfix", "opensmtpd"])
def peer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """One of the two, with TLS and a login."""
    with running_peer(request.param, tmp_path_factory.mktemp("peer")) as running:
        yield running


@pytest.fixture(scope="module")
def postfix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """A Postfix, for what only it can be told to answer."""
    with running_peer("postfix", tmp_path_factory.mktemp("postfix")) as running:
        yield running


@pytest.fixture(autouse=True)
def empty_mailbox(request: pytest.FixtureRequest) -> None:
    """Let no test see another's mail."""
    for name in ("peer", "postfix"):
        if name in request.fixturenames:
            request.getfixturevalue(name).empty_mailbox()


def a_mail(raw: object = HEAD + b"\r\nhello\r\n", **other: object) -> SimpleNamespace:
    return SimpleNamespace(**{"sender": SENDER, "recipient": RECIPIENT, "raw": raw, **other})


def refusal(peer: Peer, **mail: object) -> DeliveryError:
    """Return how the peer refuses that mail; the same connection must serve for the next."""
    connection = peer.connection()
    connection.open()
    with pytest.raises(DeliveryError) as raised:
        connection.deliver(a_mail(**mail), lambda: None)
    connection.open()
    assert connection.deliver(a_mail(), lambda: None).code == 250
    connection.close()
    return raised.value


def verdict(error: DeliveryError) -> tuple[Stage, Scope, bool, int | None]:
    return error.stage, error.scope, error.permanent, error.code


@pytest.mark.parametrize("rest", CORPUS)
def test_mail_arrives_byte_for_byte(peer: Peer, rest: bytes) -> None:
    raw = HEAD + rest

    with peer.connection() as connection:
        reply = connection.deliver(a_mail(raw), lambda: None)
    stored = peer.the_mail()

    trace = TRACE.match(stored)
    assert reply.code == 250
    assert trace, stored[:500]
    assert stored[trace.end() :] == (raw if raw.endswith(b"\r\n") else raw + b"\r\n")


def test_domain_in_punycode_is_a_domain_like_others(peer: Peer) -> None:
    with peer.connection() as connection:
        connection.deliver(a_mail(recipient="alice@xn--bcher-kva.example"), lambda: None)

    assert b"for <alice@xn--bcher-kva.example>" in peer.the_mail()


def test_mail_comes_over_tls_and_after_a_login(peer: Peer) -> None:
    with peer.connection() as connection:
        connection.deliver(a_mail(), lambda: None)

    assert b"with ESMTPSA" in peer.the_mail(), "the S is for TLS, the A for AUTH (RFC 3848)"


@pytest.mark.parametrize(("recipient", "expected"), REFUSALS)
def test_refused_recipient_is_understood_and_the_next_mail_goes(
    peer: Peer, recipient: str, expected: tuple[Stage, Scope, bool, int]
) -> None:
    assert verdict(refusal(peer, recipient=recipient)) == expected


def test_greylisting_is_given_the_time_it_asks_for(peer: Peer) -> None:
    wait = refusal(peer, recipient="grey@example.org").wait

    assert wait is not None
    assert wait.total_seconds() >= 300


def test_mail_that_is_too_large_is_refused_for_good(peer: Peer) -> None:
    raw = HEAD + b"\r\n" + b"0123456789abcde\r\n" * 800_000

    error = refusal(peer, raw=raw)

    assert (error.scope, error.permanent) == (Scope.MESSAGE, True)
    assert error.code in {552, 554}, "Postfix says the one, OpenSMTPD the other"


def test_wrong_password_is_a_matter_of_the_account(peer: Peer) -> None:
    before = peer.refused_logins()
    connection = peer.connection(password="wrong")

    with pytest.raises(DeliveryError) as raised:
        connection.open()

    error = raised.value
    assert (error.stage, error.scope, error.code) == (Stage.LOGIN, Scope.ACCOUNT, 535)
    assert error.cause == "login"
    eventually(lambda: peer.refused_logins() > before)
    assert peer.refused_logins() == before + 1, "asked once, with one mechanism"


def test_server_of_another_authority_is_told_nothing(peer: Peer) -> None:
    with pytest.raises(DeliveryError) as raised:
        peer.connection(authority=another_authority()).open()

    assert (raised.value.stage, raised.value.scope) == (Stage.TLS, Scope.SERVER)


def test_refused_content_is_a_matter_of_that_mail(postfix: Peer) -> None:
    error = refusal(postfix, raw=HEAD + b"\r\nnot wanted here\r\n")

    assert verdict(error) == (Stage.END, Scope.MESSAGE, True, 550)


def test_refused_sender_would_be_refused_for_every_mail(postfix: Peer) -> None:
    error = refusal(postfix, sender="stranger@example.org")

    assert verdict(error) == (Stage.SENDER, Scope.SENDER, True, 553)


def test_server_that_goes_down_is_left_and_called_again(postfix: Peer) -> None:
    error = refusal(postfix, recipient="leaving@example.org")

    assert verdict(error) == (Stage.RECIPIENT, Scope.SERVER, False, 421)


def test_one_connection_serves_many_mails(peer: Peer) -> None:
    with peer.connection() as connection:
        host = connection.host
        replies = [connection.deliver(a_mail(), lambda: None) for _ in range(20)]

        assert {reply.code for reply in replies} == {250}
        assert connection.host is host
