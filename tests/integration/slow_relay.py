"""An SMTP server that is alive and slow, where the other one is well or silent."""

import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.stack.smtp.certificates import Certificate

LATE_SECONDS = 0.2
REPLIES = {
    "CONNECT": b"220 slow.test\r\n",
    "EHLO": b"250-slow.test\r\n250 AUTH PLAIN\r\n",
    "AUTH": b"235 welcome\r\n",
    "DATA": b"354 go on\r\n",
    "QUIT": b"221 bye\r\n",
}


class SlowRelay(socketserver.ThreadingTCPServer):
    """Speaks TLS from the first byte, and is slow at some of the commands, in one of three ways.

    `late`: each reply takes its time. `endless`: the reply never ends. `deaf`: it hardly listens.
    """

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, slow_at: set[str], way: str) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.context = context
        self.slow_at = slow_at
        self.way = way
        self.port: int = self.server_address[1]


class Conversation(socketserver.BaseRequestHandler):
    """One connection."""

    server: SlowRelay

    def handle(self) -> None:
        """Answer until the other side has enough."""
        with (
            suppress(OSError),
            self.server.context.wrap_socket(self.request, server_side=True) as self.secured,
            self.secured.makefile("rb") as self.lines,
        ):
            self.reply("CONNECT")
            for line in self.lines:
                command = line.split(maxsplit=1)[0].decode().upper()
                self.reply(command)
                if command == "DATA":
                    self.read_content()
                    self.reply("CONTENT")

    def reply(self, command: str) -> None:
        """Say what is right, slowly where it should be."""
        is_slow = command in self.server.slow_at
        while is_slow and self.server.way == "endless":
            self.secured.sendall(b"250-and\r\n")
            time.sleep(LATE_SECONDS / 4)
        if is_slow and self.server.way == "late":
            time.sleep(LATE_SECONDS)
        self.secured.sendall(REPLIES.get(command, b"250 yes\r\n"))

    def read_content(self) -> None:
        """Read up to the dot."""
        while self.lines.readline() != b".\r\n":
            if self.server.way == "deaf":
                time.sleep(LATE_SECONDS / 4)


@contextmanager
def slow_relay(certificate: Certificate, way: str, *slow_at: str) -> Iterator[SlowRelay]:
    """Run one on a free port."""
    with SlowRelay(certificate.server_context(), set(slow_at), way) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
