"""An SMTP server that takes everything, fast, and remembers what and when; in a thread of its own."""

import asyncio
import hashlib
import re
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from types import TracebackType
from typing import Self

MESSAGE_ID = re.compile(rb"^Message-ID: *(<[^>]*>)", re.IGNORECASE | re.MULTILINE)
START_SECONDS = 10
CATCH_UP_SECONDS = 0.05  # many turns of its loop
GREETING = b"220 sink.test\r\n"
FEATURES = b"250-sink.test\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250 8BITMIME\r\n"
REPLIES = {
    b"EHLO": FEATURES,
    b"HELO": b"250 sink.test\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}
OTHERWISE = b"250 2.0.0 yes\r\n"


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail that was taken: its Message-ID, what tells its bytes, and when (`time.monotonic`)."""

    message_id: str
    digest: bytes
    at: float


class Sink:
    """Runs while its context lasts. What is taken stands in `taken`, in that order.

    A mail is taken with its final dot; the reply comes `late_seconds` after that. The next
    `to_drop` mails are taken too, but their sender is hung up on instead of being told.
    """

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.port = 0
        self.late_seconds = 0.0
        self.to_drop = 0
        self.connections: set[asyncio.Transport] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)
        self._started = threading.Event()

    def times_taken(self) -> Counter[str]:
        """Return how often each Message-ID was taken."""
        return Counter(mail.message_id for mail in list(self.taken))

    def duplicates(self) -> int:
        """Return how many mails were taken that had been taken before."""
        return len(self.taken) - len(self.times_taken())

    def catch_up(self) -> None:
        """Return when what had been sent until now is taken."""
        turns = asyncio.run_coroutine_threadsafe(asyncio.sleep(CATCH_UP_SECONDS), self._loop)
        turns.result(START_SECONDS)

    def changed(self) -> set[str]:
        """Return the Message-IDs under which different bytes were taken: there may be none."""
        digests = defaultdict(set)
        for mail in list(self.taken):
            digests[mail.message_id].add(mail.digest)
        return {message_id for message_id, seen in digests.items() if len(seen) > 1}

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            message = f"the sink did not start within {START_SECONDS} s"
            raise TimeoutError(message)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)

    def _run(self) -> None:
        listening = self._loop.create_server(lambda: Conversation(self), "127.0.0.1", 0)
        server = self._loop.run_until_complete(listening)
        self.port = server.sockets[0].getsockname()[1]
        self._loop.call_soon(self._started.set)
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._hang_up())
        self._loop.close()

    async def _hang_up(self) -> None:
        for transport in self.connections:
            transport.abort()
        await asyncio.sleep(0)  # they close on the loop's next turn


class Conversation(asyncio.Protocol):
    """One connection; several commands at once are answered in one write (RFC 2920)."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._unread = bytearray()
        self._replies: list[bytes] = []
        self._in_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sink.connections.add(transport)
        transport.write(GREETING)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget it."""
        self._sink.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer all that is complete."""
        self._unread += data
        while self._content() if self._in_content else self._command():
            pass
        self._transport.write(b"".join(self._replies))
        self._replies.clear()

    def _command(self) -> bool:
        line, end, rest = self._unread.partition(b"\r\n")
        if not end:
            return False
        self._unread = rest
        verb = bytes(line[:4]).upper()
        self._replies.append(REPLIES.get(verb, OTHERWISE))
        if verb == b"DATA":
            self._in_content = True
            self._unread[:0] = end  # so that the first line's dot is found as any other's
        return True

    def _content(self) -> bool:
        content, end, rest = self._unread.partition(b"\r\n.\r\n")
        if not end:
            return False
        self._unread, self._in_content = rest, False
        self._take(bytes(content))
        return True

    def _take(self, content: bytes) -> None:
        named = MESSAGE_ID.search(content)
        message_id = named.group(1).decode() if named else ""
        digest = hashlib.sha256(content).digest()
        self._sink.taken.append(Taken(message_id, digest, time.monotonic()))
        if self._sink.to_drop > 0:
            self._sink.to_drop -= 1
            self._transport.abort()
        elif self._sink.late_seconds > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(self._sink.late_seconds, self._transport.write, OTHERWISE)
        else:
            self._replies.append(OTHERWISE)
