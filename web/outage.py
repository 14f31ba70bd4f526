"""What is done while a shared store is away: each question is answered at once, the outage told once."""

import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import TypeVar

import structlog
from prometheus_client import Counter
from redis.exceptions import RedisError

PAUSE_SECONDS = 2  # between two tries
AWAY = (RedisError, OSError)

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class Outage:
    """Whether the store is away; a thread, and no request, finds out when it is back.

    A request would have to wait for it: the name of a stopped container takes a second to be unknown.
    """

    def __init__(self, errors: Counter, away: str, back: str) -> None:
        self._errors = errors
        self._away, self._back = away, back  # what the log says
        self._is_away = False
        self._lock = Lock()

    def ask(self, question: Callable[[], Answer], otherwise: Answer) -> Answer:
        """Return the store's answer, or `otherwise` while it has none."""
        if self._is_away:
            return otherwise
        try:
            return question()
        except AWAY as error:
            self._begin(question, error)
            return otherwise

    def _begin(self, question: Callable[[], object], error: Exception) -> None:
        self._errors.inc()
        with self._lock:
            is_known, self._is_away = self._is_away, True
        if not is_known:
            log.error(self._away, reason=str(error))
            Thread(target=self._wait, args=(question,), name="outage", daemon=True).start()

    def _wait(self, question: Callable[[], object]) -> None:
        """Ask the same again until there is an answer: what was full may well be reached."""
        while self._is_away:
            time.sleep(PAUSE_SECONDS)
            try:
                question()
            except AWAY:
                self._errors.inc()
            else:
                self._is_away = False
        log.info(self._back)
