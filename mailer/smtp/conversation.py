"""smtplib's conversation, held to a deadline as a whole."""

import functools
import select
import smtplib
import socket
import ssl
from typing import Any

from mailer.smtp.deadline import Deadline

LONGEST_LINE = 8_192  # of a reply, in bytes; RFC 5321, 4.5.3.1.5 allows 512
LONGEST_REPLY = 65_536
GO_AHEAD_WITH_TLS = 220


class Conversation(smtplib.SMTP):
    """Each wait is over by the deadline, however slowly the relay speaks or listens; then OSError.

    A timeout alone does not do that: it begins anew with each address, step and part of a reply.
    Asking the DNS is bounded by the system's resolver.
    """

    def __init__(self, deadline: Deadline) -> None:
        super().__init__(local_hostname=own_name())
        self.deadline = deadline
        self._received = b""  # what has come and is not read yet

    def reach(self, server: str, port: int) -> None:
        """Connect; the greeting is the next reply."""
        self._host = server
        self.sock = connected(server, port, self.deadline)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def peer(self) -> str:
        """Return the address that answered."""
        return str(self._open_socket().getpeername()[0])

    def ask_for_tls(self, context: ssl.SSLContext) -> None:
        """Begin TLS where the relay offers it, or raise OSError."""
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("it does not offer STARTTLS")
        code, text = self.docmd("STARTTLS")
        if code != GO_AHEAD_WITH_TLS:
            raise smtplib.SMTPResponseException(code, text)
        self.secure(context)

    def secure(self, context: ssl.SSLContext) -> None:
        """Begin TLS. What came before in the clear may be anybody's, and is not believed."""
        if self._received:
            raise smtplib.SMTPException("it spoke on in the clear when TLS was to begin")
        sock = self._open_socket()
        self.deadline.bind(sock)
        self.sock = context.wrap_socket(sock, server_hostname=self._host)
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    def send(self, s: Any) -> None:
        """Send a command or content; raises OSError while the last byte has not left us."""
        sock = self._open_socket()
        rest = memoryview(s if isinstance(s, bytes) else s.encode("ascii"))
        while rest:
            self.deadline.bind(sock)
            rest = rest[sock.send(rest) :]

    def getreply(self) -> tuple[int, bytes]:
        """Return the next reply's code and text; the code is -1 where that is not SMTP."""
        line = self._line()
        texts, size = [line[4:].strip()], len(line)
        while line[3:4] == b"-" and line[:3].isdigit():
            line = self._line()
            texts.append(line[4:].strip())
            size += len(line)
            if size > LONGEST_REPLY:
                message = f"its reply has more than {LONGEST_REPLY} bytes"
                raise smtplib.SMTPException(message)
        return int(line[:3]) if line[:3].isdigit() else -1, b"\n".join(texts)

    def is_disturbed(self) -> bool:
        """Say whether the relay spoke or hung up though nothing was asked."""
        if self.sock is None or self._received:
            return True
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        return bool(waiting.poll(0))

    def _line(self) -> bytes:
        """Return the next line, without its end."""
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > LONGEST_LINE:
                message = f"its reply has a line of more than {LONGEST_LINE} bytes"
                raise smtplib.SMTPException(message)
            self._receive()
        line, self._received = self._received[:end], self._received[end + 1 :]
        return line

    def _receive(self) -> None:
        sock = self._open_socket()
        self.deadline.bind(sock)
        received = sock.recv(LONGEST_LINE)
        if not received:
            raise smtplib.SMTPServerDisconnected("it hung up")
        self._received += received

    def _open_socket(self) -> socket.socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        return self.sock


@functools.cache
def own_name() -> str:
    """Return the name that we introduce ourselves by; smtplib would ask the DNS each time."""
    return smtplib.SMTP().local_hostname


def connected(server: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a connection to the first of the server's addresses that answers, or raise OSError.

    Each has its share of the time, so that a dead one leaves some to the others.
    """
    addresses = socket.getaddrinfo(server, port, type=socket.SOCK_STREAM)
    failure = OSError("it has no address")
    for left in range(len(addresses), 0, -1):
        *_, address = addresses[-left]
        seconds = deadline.left_seconds() / left
        try:
            return socket.create_connection((str(address[0]), port), seconds)
        except OSError as error:
            failure = error
    raise failure
