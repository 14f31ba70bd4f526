"""How much mail to claim at once: what a relay takes in a moment.

More would keep a sign-in code waiting behind what was claimed before it; less would keep the
senders waiting for the database.
"""

import time
from collections.abc import Callable

SHORTEST, LONGEST = 0.1, 0.3  # seconds that a batch should last
LARGEST = 200


class Pace:
    """Doubles the batch while batches are gone too soon, and halves it while they last too long."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._size = 0
        self._claimed_at = now()

    def batch(self, senders: int, waiting: int) -> int:
        """Return how many mails to claim for so many senders, while so many wait for them."""
        self._size = min(max(self._size, 2 * senders), LARGEST)
        return 0 if waiting > self._size // 2 else self._size - waiting

    def claimed(self, asked: int, got: int) -> None:
        """Take note of a claim: the one before lasted until now, unless there was not enough mail."""
        lasted, self._claimed_at = self._now() - self._claimed_at, self._now()
        if lasted > LONGEST:
            self._size //= 2
        elif lasted < SHORTEST and got == asked:
            self._size *= 2
