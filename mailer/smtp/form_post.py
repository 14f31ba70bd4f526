"""Posting a form over HTTP, held to a deadline as a whole."""

import http.client
import io
import socket
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from mailer.smtp.conversation import connected
from mailer.smtp.deadline import Deadline

LONGEST_ANSWER = 65_536
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Connection": "close"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; of the content, the first 64 KB."""

    status: int
    reason: str
    content: bytes


def post_form(url: str, form: Mapping[str, str], seconds: float, context: ssl.SSLContext) -> Answer:
    """Return the answer, whatever its status; raises OSError, HTTPException or ValueError.

    No other place is asked, even if the answer names one: what the form holds is for this one.
    """
    place = urlsplit(url)
    deadline = Deadline()
    deadline.start(seconds)
    with ExitStack() as at_end:
        sock = at_end.enter_context(reached(place, deadline, context))
        connection = client(place)
        connection.sock = BoundedSocket(sock, deadline)
        path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        connection.request("POST", path, urlencode(form), FORM)
        response = at_end.enter_context(connection.getresponse())
        return Answer(response.status, response.reason, response.read(LONGEST_ANSWER))


def client(place: SplitResult) -> http.client.HTTPConnection:
    """Return what speaks HTTP there; it is given its socket."""
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    return kind(place.hostname or "", place.port)


def reached(place: SplitResult, deadline: Deadline, context: ssl.SSLContext) -> socket.socket:
    """Return a connection to the place, verified where that is https; raises OSError."""
    is_secure = place.scheme == "https"
    host = place.hostname or ""
    port = place.port or (http.client.HTTPS_PORT if is_secure else http.client.HTTP_PORT)
    sock = connected(host, port, deadline)
    if not is_secure:
        return sock
    with ExitStack() as undo:
        undo.enter_context(sock)
        deadline.bind(sock)
        secure = context.wrap_socket(sock, server_hostname=host)
        undo.pop_all()
    return secure


class BoundedSocket:
    """As much of a socket as http.client uses; each step is over by the deadline.

    A timeout alone begins anew with each part of an answer, and so never ends one that drips.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, content: bytes) -> None:
        """Send all of it; raises OSError."""
        self._deadline.bind(self._sock)
        self._sock.sendall(content)

    def makefile(self, *_: object) -> io.BufferedReader:
        """Return what reads the answer."""
        return io.BufferedReader(BoundedReader(self._sock, self._deadline))

    def close(self) -> None:
        """Do nothing: http.client closes when the content is still to be read."""


class BoundedReader(io.RawIOBase):
    """Reads what comes; raises OSError once the deadline is over."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        """Say that it reads."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what is there, and return how much that is; 0 at the end."""
        self._deadline.bind(self._sock)
        return self._sock.recv_into(buffer)
