"""What a kill costs: how much goes twice, and how long until somebody else goes on."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.ground import Ground
from bench.table import Row
from tests.integration.fleet import Fleet, fleet_on_a_sink, seconds_to_takeover

KILLS = 10
MAILS_EACH = 2_000
UNDER_WAY = 300
LATE_SECONDS = 0.004  # of the sink's replies, so that there is always mail on the wire
AIMS = ("at most connections + rows of one commit", "at most 2 s")


def kills(ground: Ground) -> Iterator[Row]:
    """SIGKILL one of two mailers in the middle of its work, again and again; another takes its place."""
    ground.empty()
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet_on_a_sink(ground.database, Path(folder)) as fleet,
    ):
        seconds, duplicates = strike(fleet)
    figures = f"{median(seconds):.2f} / {max(seconds):.2f}"
    spread = f"{duplicates / KILLS:.1f}"
    yield Row(
        f"mails that went twice per SIGKILL, mean of {KILLS}, 4 connections",
        spread,
        "mails",
        AIMS[0],
    )
    yield Row(
        "SIGKILL to the first of its mails being taken, median / longest", figures, "s", AIMS[1]
    )


def strike(fleet: Fleet) -> tuple[list[float], int]:
    """Return how long each takeover took, in seconds, and how many mails went twice in all."""
    fleet.sink.late_seconds = LATE_SECONDS
    seconds = []
    queued: set[str] = set()
    running = [fleet.start(short_lease=False), fleet.start(short_lease=False)]
    for _ in range(KILLS):
        before = len(fleet.sink.taken)
        queued |= fleet.queue(MAILS_EACH, first=len(queued))
        fleet.wait_for_mail(before + UNDER_WAY)
        victim = running.pop(0)
        claimed = fleet.freeze(victim)  # so that what it holds can be looked at
        seconds.append(seconds_to_takeover(fleet, claimed, victim.kill()))
        running.append(fleet.start(short_lease=False))
        fleet.finish()
    if set(fleet.sink.times_taken()) != queued:
        message = f"{len(queued - set(fleet.sink.times_taken()))} mails were lost"
        raise RuntimeError(message)
    return seconds, fleet.sink.duplicates()
