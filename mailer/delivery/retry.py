"""When to try again: a mail after its own failure, a part of ours that is in trouble."""

from datetime import timedelta
from itertools import accumulate, chain, repeat, takewhile

GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321, 4.5.4.1: at least 4 to 5 days
JITTER = 0.2  # so that what failed together is not tried together
LONGEST_PAUSE_SECONDS = 60.0  # what is back is noticed within a minute

_LAST_STEP = timedelta(hours=4)
_STEPS = [timedelta(minutes=m) for m in (1, 5, 15, 30)] + [timedelta(hours=h) for h in (1, 2)]


def _schedule() -> list[timedelta]:
    """Return the delays after the first, second, ... failure, which together span five days."""
    delays = chain(_STEPS, repeat(_LAST_STEP))
    totals = accumulate(chain(_STEPS, repeat(_LAST_STEP)))
    within = takewhile(lambda pair: pair[1] <= GIVE_UP_AFTER, zip(delays, totals, strict=False))
    return [delay for delay, _total in within]


SCHEDULE = _schedule()


def next_delay(failures: int, spread: float) -> timedelta | None:
    """Return how long to leave a mail alone after `failures` failures, or None to give up.

    `spread` is a random number from -1 to 1. Five days of failures count, not five days of age: a
    mail that waited a week for its relay has the whole schedule before it.
    """
    if failures > len(SCHEDULE):
        return None
    return SCHEDULE[failures - 1] * (1 + JITTER * spread)


def pause_seconds(failures: int) -> float:
    """Return how long to leave a relay or a database alone after `failures` failures in a row."""
    return min(2.0 ** min(failures - 1, 30), LONGEST_PAUSE_SECONDS)
