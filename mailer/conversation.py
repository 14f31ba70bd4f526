"""smtplib's conversation, held to a deadline as a whole."""

import contextlib
import io
import smtplib
import socket
import ssl
from typing import Any

from mailer.deadline import Deadline


class Conversation(smtplib.SMTP):
    """Over by its deadline, however slowly the relay speaks or listens; then OSError.

    A timeout alone does not do that: it begins anew with each address, step and part of a reply. A
    `context` begins TLS with the first byte. Asking the DNS is bounded by the system's resolver.
    """

    def __init__(
        self, server: str, port: int, deadline: Deadline, context: ssl.SSLContext | None
    ) -> None:
        self._deadline = deadline
        self._tls_at_once = context
        super().__init__(server, port)

    def _get_socket(self, host: str, port: int, _timeout: object) -> socket.socket:
        """Connect; smtplib's own SMTP_SSL and LMTP take its place as well."""
        sock = connected(host, port, self._deadline)
        if self._tls_at_once is None:
            return sock
        with contextlib.ExitStack() as undo:
            undo.callback(sock.close)
            sock.settimeout(self._deadline.left_seconds())
            secured = self._tls_at_once.wrap_socket(sock, server_hostname=host)
            undo.pop_all()
        return secured

    def send(self, s: Any) -> None:
        """Send a command or content; a socket's timeout bounds that as a whole."""
        if self.sock:
            self._deadline.bind(self.sock)
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Return the next reply."""
        if self.file is None and self.sock:
            self.file = io.BufferedReader(Incoming(self.sock, self._deadline))
        reply = super().getreply()
        if self.sock:  # smtplib may begin TLS now
            self.sock.settimeout(self._deadline.left_seconds())
        return reply


class Incoming(io.RawIOBase):
    """What a socket receives by the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for some bytes, and return how many came; raises TimeoutError at the deadline."""
        self._deadline.bind(self._sock)
        return self._sock.recv_into(buffer)


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
