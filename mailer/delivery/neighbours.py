"""The other mailers: who is at work, and who is frozen with mail in hand."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailer.delivery import session

# Without its lock for so long is gone; a restarted database has lost all for a moment.
ABSENT_SECONDS = 0.6


@dataclass(slots=True)
class Sight:
    """What was seen of one: its lease, since when that is the same, and when it last held its lock."""

    lease_until: datetime
    same_since: float
    seen_at: float


class Neighbours:
    """Learns of them from look to look."""

    def __init__(self, me: int, now: Callable[[], float] = time.monotonic) -> None:
        self._me = me
        self._now = now
        self._sights: dict[int, Sight] = {}

    def look(self, leases: Mapping[int, datetime]) -> bool:
        """Take note of the leases of those that hold their lock; return whether somebody went."""
        before, moment = set(self.alive()), self._now()
        for number, lease_until in leases.items():
            known = self._sights.get(number)
            if known is None or known.lease_until != lease_until:
                self._sights[number] = Sight(lease_until, moment, moment)
            else:
                known.seen_at = moment
        recent = moment - ABSENT_SECONDS
        self._sights = {n: sight for n, sight in self._sights.items() if sight.seen_at >= recent}
        return bool(before - set(self.alive()))

    def alive(self) -> list[int]:
        """Return who is at work, ourselves among them."""
        return [self._me, *(n for n in self._sights if n != self._me and not self._is_frozen(n))]

    def frozen(self) -> list[int]:
        """Return who holds its lock, and has not renewed its lease for longer than that lasts."""
        return [number for number in self._sights if number != self._me and self._is_frozen(number)]

    def _is_frozen(self, number: int) -> bool:
        return self._now() - self._sights[number].same_since > session.LEASE_SECONDS
