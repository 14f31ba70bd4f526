"""A part of ours that is away: when to try it again, and one line in the log each way."""

import time
from collections.abc import Callable, Hashable

import structlog

from mailer.delivery.retry import LONGEST_PAUSE_SECONDS, pause_seconds

log = structlog.get_logger(__name__)


class Outage:
    """Longer and longer pauses while it lasts; over with the first success.

    `part` names what is away in the log.
    """

    def __init__(
        self,
        part: str,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._part = part
        self._longest_pause_seconds = longest_pause_seconds
        self._now = now
        self._failures = 0
        self._kind: Hashable = None
        self._began_at = 0.0
        self._next_try_at = 0.0
        self.trouble: str | None = None

    def left_seconds(self) -> float:
        """Return how long it is still not to be tried; 0 is now."""
        return max(0.0, self._next_try_at - self._now())

    def begin(self, trouble: str, kind: Hashable) -> None:
        """Wait before the next try; logged where the trouble is of another kind than before."""
        self._failures += 1
        pause = min(pause_seconds(self._failures), self._longest_pause_seconds)
        if self.trouble is None:
            self._began_at = self._now()
        if self.trouble is None or kind != self._kind:
            log.warning("in trouble", part=self._part, reason=trouble)
        self.trouble, self._kind, self._next_try_at = trouble, kind, self._now() + pause

    def end(self) -> None:
        """Take note that it works; logged where it did not before."""
        if self.trouble is None:
            return
        seconds = round(self._now() - self._began_at, 1)
        log.info("well again", part=self._part, after_seconds=seconds, failures=self._failures)
        self.trouble, self._failures, self._next_try_at = None, 0, 0.0
