"""Where in the queue to begin to look: what lies before was seen to hold nothing for us.

Settled mail leaves dead entries at the front of its index, which a long transaction (a backup's)
keeps there; to read them all for each claim would be slower with each mail that goes.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from mailer.delivery.claims import ALWAYS
from mailer.delivery.outbox import Mail

PRIORITIES = range(1, 10)
WHOLE_LOOK_SECONDS = 5.0  # after so long, all is looked at
SLACK = timedelta(seconds=1)  # a transaction may commit, so long after it has written its mail


class Bounds:
    """The bound of each priority of one lane."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._forget_at = 0.0
        self._bounds: dict[int, datetime] = {}

    def of(self, lowest_priority: int) -> dict[int, datetime]:
        """Return from when on to look, for the priorities from 1 down to the lowest."""
        if self._now() >= self._forget_at:
            self.forget()
        chosen = [priority for priority in PRIORITIES if priority <= lowest_priority]
        return {priority: self._bounds.get(priority, ALWAYS) for priority in chosen}

    def forget(self) -> None:
        """Look at everything: mail that was not for us before may be now."""
        self._bounds.clear()
        self._forget_at = self._now() + WHOLE_LOOK_SECONDS

    def learn(self, mails: Sequence[Mail]) -> None:
        """Take note of what a look brought: the first things first, so nothing is left before it."""
        for mail in mails:
            bound = mail.due_at - SLACK
            self._bounds[mail.priority] = max(bound, self._bounds.get(mail.priority, ALWAYS))
