"""What is in hand: claimed mail that waits for a sender, and mail that a sender or the clerk has."""

import heapq
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Condition

from mailer.delivery.journal import Journal
from mailer.delivery.outbox import Mail
from mailer.delivery.session import Session

SLOW_SECONDS = 5.0  # who is at one mail for longer does not keep others from working


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail, and the life in which it is ours.

    `trial` names the gate that this one passes though it is closed, to see whether it can open.
    """

    mail: Mail
    session: Session
    journal: Journal
    trial: str | None = None


class Probe:
    """A login that sends nothing, to see whether the relay lets us in."""


class Leave:
    """The end of the work."""


Job = Claim | Probe | Leave


class Desk:
    """Shared by the threads; most urgent first. `make_room` is called when there is room for more.

    While it is shut, only probes and trials are given out. As many `seats` work as have proven
    themselves: one at first, one more for each round of mail that went well; who has been at one
    mail for long does not count, so that a slow one does not hold up the others.
    """

    def __init__(
        self,
        seats: int,
        make_room: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seats = seats
        self._make_room = make_room
        self._now = now
        self._changed = Condition()
        self._waiting: list[tuple[int, int, Claim]] = []
        self._order = itertools.count()
        self._in_hand: dict[int, Claim] = {}
        self._busy_since: dict[int, float] = {}
        self._probe: Probe | None = None
        self._leaving = False
        self._low = 0
        self._active_seats = 1
        self._good = 0
        self._progress_at = now()
        self._shutting_is_recorded = True
        self.is_shut = False
        self.let_in = False

    def put(self, claims: Iterable[Claim]) -> None:
        """Add mail; at half of what there is then, more is asked for."""
        with self._changed:
            if not self._in_hand:
                self._progress_at = self._now()
            for claim in claims:
                self._in_hand[claim.mail.id] = claim
                heapq.heappush(self._waiting, (claim.mail.priority, next(self._order), claim))
            self._low = len(self._waiting) // 2
            self._changed.notify_all()

    def hold(self, claims: Iterable[Claim]) -> None:
        """Count mail as in hand that no sender gets: the clerk has it."""
        with self._changed:
            self._in_hand.update({claim.mail.id: claim for claim in claims})

    def put_probe(self) -> None:
        """Ask whoever is free to look whether the relay lets us in."""
        with self._changed:
            self._probe = Probe()
            self._changed.notify_all()

    def take(self, seat: int, seconds: float) -> Job | None:
        """Wait for work for so long; None is that there was none."""
        with self._changed:
            self._busy_since.pop(seat, None)
            job = self._next_job(seconds)
            if job is not None:
                self._busy_since[seat] = self._now()
            return job

    def _next_job(self, seconds: float) -> Job | None:
        until = self._now() + seconds
        while not self._has_work():
            left = until - self._now()
            if left <= 0:
                return None
            self._changed.wait(min(left, SLOW_SECONDS / 5))  # others may become slow meanwhile
        if self._probe:
            probe, self._probe = self._probe, None
            return probe
        if self._leaving:
            return Leave()
        claim = heapq.heappop(self._waiting)[2]
        if len(self._waiting) == self._low:
            self._make_room()
        return claim

    def _has_work(self) -> bool:
        if self._leaving or self._probe:
            return True
        if not self._waiting:
            return False
        if self.is_shut:
            return self._waiting[0][2].trial is not None
        quick = self._now() - SLOW_SECONDS
        return sum(since > quick for since in self._busy_since.values()) < self._active_seats

    def shut(self) -> None:
        """Give out no more mail."""
        with self._changed:
            self.is_shut, self._shutting_is_recorded = True, False
            self._active_seats, self._good = 1, 0

    def shutting_is_recorded(self) -> None:
        """Take note that others can read in the database why this is shut; so it may open again."""
        self._shutting_is_recorded = True

    @property
    def may_reopen(self) -> bool:
        """Say whether it is shut for a reason that the database knows of, and that may be over."""
        return self.is_shut and self._shutting_is_recorded

    def reopen(self) -> None:
        """Give out mail again, to one sender at first."""
        with self._changed:
            self.is_shut = False
            self._changed.notify_all()

    def slow_down(self) -> None:
        """Let one sender alone go on."""
        with self._changed:
            self._active_seats, self._good = 1, 0

    def went_well(self) -> None:
        """Count a mail that the relay took; after a round of them, one more sender may work."""
        if self._active_seats == self._seats:
            return
        with self._changed:
            self._good += 1
            if self._good >= self._active_seats:
                self._active_seats, self._good = min(self._active_seats + 1, self._seats), 0
                self._changed.notify_all()

    def drain(self) -> list[Claim]:
        """Take back what no sender has yet, but for a trial."""
        with self._changed:
            drained = [claim for _, _, claim in self._waiting if claim.trial is None]
            self._waiting = [entry for entry in self._waiting if entry[2].trial is not None]
            heapq.heapify(self._waiting)
            return drained

    def settled(self, ids: Iterable[int]) -> None:
        """Forget mail: the database knows what came of it."""
        with self._changed:
            known = [self._in_hand.pop(number, None) for number in ids]
            if any(known):
                self._progress_at = self._now()
            if (
                not self._waiting
            ):  # there may have been mail that was too large to be claimed before
                self._make_room()

    def leave(self) -> None:
        """Send the senders home, each after the mail that it has."""
        with self._changed:
            self._leaving = True
            self._changed.notify_all()

    def waiting(self) -> int:
        """Return how many wait for a sender."""
        return len(self._waiting)

    def in_hand(self) -> list[Claim]:
        """Return the mail that must not be claimed again."""
        with self._changed:
            return list(self._in_hand.values())

    def idle_seconds(self) -> float:
        """Return for how long nothing came of any mail."""
        return self._now() - self._progress_at

    @property
    def active_seats(self) -> int:
        """Return how many senders may work at once."""
        return self._active_seats
