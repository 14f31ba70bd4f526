"""A moment by which a piece of work must be over."""

import math
import socket
import time
from collections.abc import Callable

SHORTEST_SECONDS = 0.001  # not 0, by which a socket understands something else


class Deadline:
    """Set anew for each piece of work; before the first, it is over already."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._ends_at = -math.inf

    def start(self, seconds: float) -> None:
        """Allow the work that begins now so many seconds."""
        self._ends_at = self._now() + seconds

    def left_seconds(self) -> float:
        """Return how long it may still take, as a timeout: at its end there is a moment left."""
        return max(self._ends_at - self._now(), SHORTEST_SECONDS)

    def bind(self, sock: socket.socket) -> None:
        """Let the socket's next step take no longer; raises TimeoutError when it is over."""
        left = self._ends_at - self._now()
        if left <= 0:
            raise TimeoutError("timed out")
        sock.settimeout(max(left, SHORTEST_SECONDS))
