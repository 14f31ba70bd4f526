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


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail, and the life in which it is ours. A `trial` goes though the quota is used up."""

    mail: Mail
    session: Session
    journal: Journal
    trial: bool = False


class Probe:
    """A login that sends nothing, to see whether the relay's gate can open."""


class Leave:
    """The end of the work."""


Job = Claim | Probe | Leave


class Desk:
    """Shared by the threads; most urgent first. `make_room` is called when there is room for more.

    While it is shut, only probes and trials are given out. As many `seats` work as have proven
    themselves: one at first, one more for each round of mail that went well.
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
        self._probe: Probe | None = None
        self._leaving = False
        self._low = 0
        self._active_seats = 1
        self._good = 0
        self._progress_at = now()
        self._shutting_is_recorded = True
        self.is_shut = False

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
        """Ask the first sender to look whether the relay lets us in."""
        with self._changed:
            self._probe = Probe()
            self._changed.notify_all()

    def take(self, seat: int, seconds: float) -> Job | None:
        """Wait for work for so long; None is that there was none."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_work(seat), seconds)
            if seat == 0 and self._probe:
                probe, self._probe = self._probe, None
                return probe
            if self._leaving:
                return Leave()
            if not self._has_work(seat):
                return None
            claim = heapq.heappop(self._waiting)[2]
            if len(self._waiting) == self._low:
                self._make_room()
            return claim

    def _has_work(self, seat: int) -> bool:
        if self._leaving or (seat == 0 and self._probe):
            return True
        if seat >= self._active_seats or not self._waiting:
            return False
        return not self.is_shut or self._waiting[0][2].trial

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
            drained = [claim for _, _, claim in self._waiting if not claim.trial]
            self._waiting = [entry for entry in self._waiting if entry[2].trial]
            heapq.heapify(self._waiting)
            return drained

    def settled(self, ids: Iterable[int]) -> None:
        """Forget mail: the database knows what came of it."""
        with self._changed:
            for number in ids:
                self._in_hand.pop(number, None)
            self._progress_at = self._now()

    def leave(self) -> None:
        """Send the senders home, each after the mail that it has."""
        with self._changed:
            self._leaving = True
            self._changed.notify_all()

    def waiting(self) -> int:
        """Return how many wait for a sender."""
        return len(self._waiting)

    def in_hand(self) -> list[int]:
        """Return the mails that must not be claimed again."""
        with self._changed:
            return list(self._in_hand)

    def stuck_seconds(self) -> float:
        """Return for how long there is mail in hand, and nothing comes of any."""
        with self._changed:
            return self._now() - self._progress_at if self._in_hand else 0.0

    @property
    def active_seats(self) -> int:
        """Return how many senders may work at once."""
        return self._active_seats
