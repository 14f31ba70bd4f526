"""A piece of work that is tried again where it fails, ever more rarely, for as long as the worker runs."""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from backup.schedule import slots as schedule
from backup.schedule.child import Child

log = structlog.get_logger(__name__)


class Attempts:
    """Runs one verb; a failure plans the next try. Whether there is anything to do, the verb itself finds out."""

    def __init__(
        self, verb: str, run: Child, scheduler: Any, clock: Callable[[], datetime]
    ) -> None:
        self.verb = verb
        self._run = run
        self._scheduler = scheduler
        self._clock = clock
        self._failures = 0
        self.next_try: datetime | None = None

    def attempt(self) -> None:
        """Have it done if it is due; where it fails, plan the next try."""
        code = self._run.run(self.verb, "--scheduled")
        if code == os.EX_OK or self._run.ended:
            self._failures, self.next_try = 0, None
            return
        if code != os.EX_TEMPFAIL:  # that one is only busy: another replica, a verification
            self._failures += 1
        self.next_try = self._clock() + schedule.retry_after(max(self._failures, 1))
        self._scheduler.add_job(
            self.attempt,
            "date",
            run_date=self.next_try,
            id=f"retry {self.verb}",
            replace_existing=True,
        )
        log.warning(
            "a run came to nothing; it is tried again",
            verb=self.verb,
            code=code,
            next_try=self.next_try.isoformat(),
        )

    @property
    def waiting(self) -> bool:
        """Return whether a next try is planned already."""
        return self.next_try is not None
