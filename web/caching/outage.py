"""What is done while the store is away: each question is answered at once, and told once."""

import time
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from web.caching.figures import STORE_ERRORS

PAUSE_SECONDS = 2  # after an error, before one request tries again

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class Outage:
    """Whether the store is away, and when it is to be asked again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ask_at: float | None = None  # None while the store is well
        self._lock = Lock()

    def ask(self, question: Callable[[], Answer], otherwise: Answer) -> Answer:
        """Return the store's answer, or `otherwise` while it has none."""
        if self._ask_at is not None and not self._is_my_turn():
            return otherwise
        try:
            answer = question()
        except (RedisError, OSError) as error:
            self._begin(error)
            return otherwise
        if self._ask_at is not None:
            self._end()
        return answer

    def _is_my_turn(self) -> bool:
        """Return whether the pause is over; one request alone hears so, the others go on."""
        with self._lock:
            now = self._clock()
            if self._ask_at is not None and now < self._ask_at:
                return False
            self._ask_at = now + PAUSE_SECONDS
            return True

    def _begin(self, error: Exception) -> None:
        STORE_ERRORS.inc()
        with self._lock:
            known, self._ask_at = self._ask_at is not None, self._clock() + PAUSE_SECONDS
        if not known:
            log.error("the cache is away, pages are made for each request", reason=str(error))

    def _end(self) -> None:
        with self._lock:
            known, self._ask_at = self._ask_at is not None, None
        if known:
            log.info("the cache is back")
