"""Answers that are made once and kept: how long, by whom, and what others get meanwhile."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from web.caching.away import database_is_away
from web.caching.entry import Entry
from web.caching.flights import Flight, Flights
from web.caching.jobs import Job, Made, Terms, Unkept
from web.caching.store import Store

WAIT_SECONDS = 10  # for another's computation; then each computes alone
POLL_SECONDS = 0.05  # between two looks at what another process computes
TRY_AGAIN_SECONDS = 2  # after the database was away

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there that is not fresh: to be shown meanwhile, or only if the database is away."""

    stale: Entry | None = None
    spare: Entry | None = None


class Keeper:
    """Hands out what is kept, and has made what is not."""

    def __init__(
        self, store: Store, default_seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self.store = store
        self.clock = clock
        self._default_seconds = default_seconds
        self._flights = Flights()

    def look(self, job: Job) -> Entry | None:
        """Return the answer if it is kept and fresh; makes none, and counts nothing."""
        entry, _ = self.store.read(job.key, job.terms.on)
        is_fresh = entry is not None and entry.age(self.clock()) < self._fresh(job.terms)
        return entry if is_fresh else None

    def obtain(self, job: Job) -> Made:
        """Return the answer that is kept, or else make it; however many ask, it is made once."""
        deadline = 0.0
        while True:
            entry, versions = self.store.read(job.key, job.terms.on)
            if entry is not None and entry.age(self.clock()) < self._fresh(job.terms):
                job.figures.hits.inc()
                return entry
            kept = self._judge(entry, job.terms)
            if not self.store.keeps:
                return self._make(job, kept)
            if kept.stale and self._failed_just_now(kept.stale):
                return shown(job, kept.stale)
            flight, leads = self._flights.board(job.key)
            if leads:
                return self._lead(job, kept)
            if kept.stale:
                return shown(job, kept.stale)
            deadline = deadline or time.monotonic() + WAIT_SECONDS
            if made := self._follow(job, kept, flight, versions, deadline):
                return made

    def _fresh(self, terms: Terms) -> float:
        return self._default_seconds if terms.fresh_seconds is None else terms.fresh_seconds

    def _judge(self, entry: Entry | None, terms: Terms) -> Kept:
        """Return what the entry, which is not fresh, is good for."""
        if entry is None:
            return Kept()
        too_old = entry.age(self.clock()) - self._fresh(terms)
        spare = entry if too_old < max(terms.stale_seconds, terms.stale_on_error_seconds) else None
        if too_old < terms.stale_seconds or (spare and self._failed_just_now(spare)):
            return Kept(stale=entry, spare=spare)
        return Kept(spare=spare)

    def _failed_just_now(self, entry: Entry) -> bool:
        return self.clock() - entry.failed_at < TRY_AGAIN_SECONDS

    def _follow(
        self, job: Job, kept: Kept, flight: Flight, versions: tuple[str, ...], deadline: float
    ) -> Made | None:
        """Return what another makes, or None to ask anew, as the data changed meanwhile.

        Its failure is that of all who wait: one after the other, each would wait for its own.
        """
        if not flight.wait(max(0.0, deadline - time.monotonic())):
            return shown(job, kept.spare) if kept.spare else self._make(job, kept)
        if flight.error is not None:
            raise flight.error
        if not flight.shareable:
            return self._make(job, kept)
        if flight.entry is None or flight.entry.versions != versions:
            return None
        job.figures.hits.inc()
        return flight.entry

    def _lead(self, job: Job, kept: Kept) -> Made:
        """Make the answer for all who wait, unless another process does already."""
        made: Made | None = None
        failure: Exception | None = None
        leased = self.store.lease(job.key)
        try:
            if not leased and kept.stale:
                made = shown(job, kept.stale)
            elif not leased:
                made, leased = self._await_another_process(job)
            made = made or self._make(job, kept)
        except Exception as error:
            failure = error
            raise
        finally:
            if leased:
                self.store.release(job.key)
            entry = made if isinstance(made, Entry) else None
            self._flights.land(job.key, entry, failure, shareable=not isinstance(made, Unkept))
        return made

    def _await_another_process(self, job: Job) -> tuple[Entry | None, bool]:
        """Return what it made; or None, and whether it is now on us alone."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            entry, _ = self.store.read(job.key, job.terms.on)
            if entry is not None and entry.age(self.clock()) < self._fresh(job.terms):
                job.figures.hits.inc()
                return entry, False
            if self.store.lease(job.key):
                return None, True
        return None, False

    def _make(self, job: Job, kept: Kept) -> Made:
        """Make the answer and keep it; what comes instead while the database is away."""
        (job.figures.refreshes if kept.spare else job.figures.misses).inc()
        # Both before anything is read: a write that overtakes us must void what we make.
        made_at, versions = self.clock(), self.store.versions(job.terms.on)
        try:
            made = job.make()
        except Exception as error:
            job.figures.errors.inc()
            if kept.spare is None or not database_is_away(error):
                raise
            return self._spare(job, kept.spare)
        if isinstance(made, Unkept):
            job.figures.bypassed.inc()
            return made
        entry = replace(made, made_at=made_at, versions=versions)
        self.store.write(job.key, entry, self._seconds_to_keep(entry, job.terms))
        return entry

    def _spare(self, job: Job, spare: Entry) -> Entry:
        """Return an older answer while the database is away; for a moment nobody tries again."""
        now = self.clock()
        log.warning("database away, an older answer is shown", key=job.key, age=spare.age(now))
        tried = spare.tried_in_vain(now)
        self.store.write(job.key, tried, self._seconds_to_keep(tried, job.terms))
        return shown(job, tried)

    def _seconds_to_keep(self, entry: Entry, terms: Terms) -> float:
        stale = max(terms.stale_seconds, terms.stale_on_error_seconds)
        return self._fresh(terms) + stale - entry.age(self.clock())


def shown(job: Job, entry: Entry) -> Entry:
    """Count that it is shown though it is not fresh."""
    job.figures.stale.inc()
    return entry
