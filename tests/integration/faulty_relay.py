"""An SMTP server that fails at one step, in each way that a server can; for the tests only."""

import base64
import contextlib
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from mailer.smtp.connection import RelayConnection
from mailer.smtp.credentials import Credentials, Login
from mailer.smtp.relay import Relay
from mailer.smtp.tls import tls_context
from tests.stack.smtp.certificates import Certificate

DRIP_SECONDS, LATE_SECONDS, LONG_SECONDS = 0.02, 0.2, 20.0
FEATURES = ("SIZE 50000000", "8BITMIME", "STARTTLS", "AUTH PLAIN")
LOGIN = Credentials("tester", SecretStr("correct-horse"))
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: end with RST
REPLIES = {
    "CONNECT": b"220 faulty.test\r\n",
    "STARTTLS": b"220 go on\r\n",
    "AUTH": b"235 2.7.0 welcome\r\n",
    "DATA": b"354 go on\r\n",
    "QUIT": b"221 bye\r\n",
}
NOISE = {
    "garbage": b"\x00\xff HTTP/1.1 what?\r\n",
    "long": b"250 " + b"x" * 65_536 + b"\r\n",
}


@dataclass(frozen=True, slots=True)
class AMail:
    """What the connection has to know of a mail."""

    raw: bytes = b"Subject: hello\r\n\r\nhello\r\n"
    recipient: str = "alice@example.net"
    sender: str = "us@example.org"


@dataclass
class Behaviour:
    """How it fails at each step (of them `BODY`: amid the content), and what it has seen.

    `token` is what XOAUTH2 accepts, `logins` what was given to any mechanism, in base64.
    `torn` is contents without an end.
    A way is a reply, or drop, reset, stall, drip, garbage, long, or late. An `eager` one looks at
    each command alone, and so takes RCPT without a sender, and goes ahead without a recipient.
    """

    faults: dict[str, str] = field(default_factory=dict)
    fails_once: dict[str, str] = field(default_factory=dict)
    features: tuple[str, ...] = FEATURES
    eager: bool = False
    token: str = ""
    logins: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    torn: list[bytes] = field(default_factory=list)
    connections: int = 0
    sockets: list[socket.socket] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class FaultyRelay(socketserver.ThreadingTCPServer):
    """Fails as `behaviour` says, until that is changed."""

    daemon_threads = True

    def __init__(self, certificate: Certificate) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.certificate = certificate
        self.behaviour = Behaviour()
        self.port: int = self.server_address[1]

    def connection(
        self,
        timeout_seconds: float = LONG_SECONDS,
        login: Login = LOGIN,
        now: Callable[[], float] = time.monotonic,
    ) -> RelayConnection:
        """Return a connection to it, not yet open."""
        return RelayConnection(self.relay(timeout_seconds), lambda: login, now)

    def relay(self, timeout_seconds: float = LONG_SECONDS) -> Relay:
        """Return how it is reached."""
        self._relay = Relay(
            server="localhost",
            port=self.port,
            starttls="STARTTLS" in self.behaviour.features,
            tls_at_once=False,
            timeout_seconds=timeout_seconds,
            end_timeout_seconds=timeout_seconds,
            context=tls_context(self.certificate.authority),
        )
        return self._relay

    def get_well(self) -> None:
        """Let all that begins now go well; connections have time, for the machine may be busy."""
        self.behaviour.over.set()
        self.behaviour = Behaviour(features=self.behaviour.features)
        self.hurry(LONG_SECONDS)

    def hang_up_on_all(self) -> None:
        """End what is open, though nobody asked anything."""
        for sock in self.behaviour.sockets:
            sock.shutdown(socket.SHUT_RDWR)

    def hurry(self, timeout_seconds: float, end_seconds: float | None = None) -> None:
        """Change how long is waited for a step of connections that are open by now."""
        object.__setattr__(self._relay, "timeout_seconds", timeout_seconds)
        object.__setattr__(self._relay, "end_timeout_seconds", end_seconds or timeout_seconds)


class Ended(Exception):  # noqa: N818 no error
    """The conversation is over."""


class Conversation(socketserver.BaseRequestHandler):
    """One connection."""

    server: FaultyRelay

    def handle(self) -> None:
        """Answer until either side has enough."""
        self.sock: socket.socket = self.request
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.behaviour = self.server.behaviour
        self.behaviour.connections += 1
        self.behaviour.sockets.append(self.sock)
        self.has_sender = self.has_recipient = self.wants_content = False
        with contextlib.suppress(OSError, Ended):
            self.say("CONNECT")
            lines = self.sock.makefile("rb")
            while line := lines.readline():
                command = (line.split(maxsplit=1) or [b""])[0].decode().upper()
                self.behaviour.commands.append(command)
                if command == "AUTH":
                    self.hear_login(line.decode().split()[1:], lines)
                else:
                    self.answer("EHLO" if command == "HELO" else command)
                if command == "STARTTLS" and command not in self.behaviour.faults:
                    context = self.server.certificate.server_context()
                    self.sock = context.wrap_socket(self.sock, server_side=True)
                    self.behaviour.sockets[-1] = self.sock
                    lines = self.sock.makefile("rb")
                if self.wants_content:
                    self.take_mail(lines)
                if command == "QUIT":
                    break
        with contextlib.suppress(OSError):
            self.sock.close()

    def hear_login(self, words: list[str], lines: Any) -> None:
        """Ask for what the mechanism needs, and answer."""
        mechanism, *given = words
        for question in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6") if mechanism == "LOGIN" else ():
            self.sock.sendall(f"334 {question}\r\n".encode())
            given.append(lines.readline().decode().strip())
        self.behaviour.logins.append(" ".join([mechanism, *given]))
        bearer = f"\1auth=Bearer {self.behaviour.token}\1\1"
        if mechanism != "XOAUTH2" or base64.b64decode(given[0]).decode().endswith(bearer):
            self.say("AUTH")
            return
        self.sock.sendall(b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n")
        ended = lines.readline() == b"\r\n"
        self.sock.sendall(b"535 5.7.8 no\r\n" if ended else b"500 an empty line was due\r\n")

    def answer(self, command: str) -> None:
        """Answer a command."""
        way = self.behaviour.fails_once.get(command) or self.behaviour.faults.get(command, "")
        refused = way[:1] in {"4", "5"}
        needed = {"RCPT": self.has_sender, "DATA": self.has_recipient}.get(command, True)
        if not needed and not self.behaviour.eager:
            self.sock.sendall(b"503 5.5.1 not now\r\n")
            return
        if command in {"MAIL", "RSET"}:
            self.has_sender, self.has_recipient = command == "MAIL" and not refused, False
        if command == "RCPT":
            self.has_recipient = not refused
        self.wants_content = command == "DATA" and not refused
        self.say(command)

    def take_mail(self, lines: Any) -> None:
        """Read up to the dot."""
        self.wants_content = False
        raw = bytearray()
        while (line := lines.readline()) != b".\r\n":
            if not line:
                self.behaviour.torn.append(bytes(raw))
                raise Ended
            raw += line.removeprefix(b".")
            if "BODY" in self.behaviour.faults:
                self.say("BODY")
                raise Ended
        if self.has_recipient and self.behaviour.faults.get("END", "")[:1] not in {"4", "5"}:
            self.behaviour.mails.append(bytes(raw))
        self.has_sender = self.has_recipient = False
        self.say("END")

    def say(self, step: str) -> None:
        """Say what is right, or fail."""
        way = self.behaviour.fails_once.pop(step, None) or self.behaviour.faults.get(step)
        if way in {"drop", "reset"}:
            self.hang_up(reset=way == "reset")
        if way in {"stall", "drip"}:
            self.be_slow(b"250-and so on\r\n" if way == "drip" else b"")
        if way == "late":
            self.behaviour.over.wait(LATE_SECONDS)
        if way in NOISE:
            self.sock.sendall(NOISE[way])
        elif way is None or way == "late":
            self.sock.sendall(self.right(step))
        else:
            self.sock.sendall(way.encode() + b"\r\n")
            if way.startswith("421"):
                raise Ended

    def right(self, step: str) -> bytes:
        """Return what is right."""
        if step != "EHLO":
            return REPLIES.get(step, b"250 2.0.0 yes\r\n")
        features = [f for f in self.behaviour.features if not self.is_secure or f != "STARTTLS"]
        lines = [b"250-%s\r\n" % word.encode() for word in ("faulty.test", *features)]
        return b"".join(lines) + b"250 HELP\r\n"

    def hang_up(self, *, reset: bool) -> None:
        """End the conversation without a word."""
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        raise Ended

    def be_slow(self, portion: bytes) -> None:
        """Say nothing, or without end byte for byte, until the other side has enough."""
        while not self.behaviour.over.wait(DRIP_SECONDS):
            self.sock.sendall(portion[:1])
            portion = portion[1:] + portion[:1]
        raise Ended

    @property
    def is_secure(self) -> bool:
        """Say whether TLS has begun."""
        return isinstance(self.sock, ssl.SSLSocket)


@contextlib.contextmanager
def faulty_relay(certificate: Certificate) -> Iterator[FaultyRelay]:
    """Run one on a free port; it is well at first."""
    with FaultyRelay(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.behaviour.over.set()
            server.shutdown()
            thread.join()
