"""Ten thousand mails, two mailers, and one misfortune after another, in an order that a seed gives."""

import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.fleet import (
    CONNECTIONS,
    Fleet,
    MailerProcess,
    assert_all_arrived,
    fleet_on_a_sink,
)
from tests.integration.postgres import Database
from tests.waiting import eventually

MAILS = 10_000
ROUNDS = 3  # of all misfortunes
SEEDS = [1, 2, 3]


class Walk:
    """Two mailers at work; each misfortune strikes one of them, or both, and returns what it may cost."""

    def __init__(self, fleet: Fleet, chance: random.Random) -> None:
        self._fleet = fleet
        self._chance = chance
        self._running: list[MailerProcess] = [fleet.start(), fleet.start()]

    def misfortunes(self) -> list[Callable[[], int]]:
        """Return each as a function; it returns how many mails may go twice for it."""
        return [
            self.killed,
            self.killed,
            self.terminated,
            self.frozen,
            self.restarted,
            self.backends_ended,
            self.replies_lost,
        ]

    def killed(self) -> int:
        """SIGKILL; another is started."""
        self._victim().kill()
        self._running.append(self._fleet.start())
        return CONNECTIONS

    def terminated(self) -> int:
        """SIGTERM; another is started."""
        victim = self._victim()
        victim.signal(signal.SIGTERM)
        assert victim.process.wait(60) == 0
        self._running.append(self._fleet.start())
        return 0

    def frozen(self) -> int:
        """SIGSTOP until its lease is over, then SIGCONT."""
        victim = self._victim()
        victim.signal(signal.SIGSTOP)
        eventually(lambda: self._fleet.is_past_its_lease(victim))
        victim.signal(signal.SIGCONT)
        self._running.append(victim)
        return CONNECTIONS

    def restarted(self) -> int:
        """Restart the database."""
        self._fleet.database.restart()
        return 2 * CONNECTIONS

    def backends_ended(self) -> int:
        """End all mailers' connections to the database."""
        self._fleet.terminate_backends()
        return 2 * CONNECTIONS

    def replies_lost(self) -> int:
        """Hang up after the dot."""
        number = self._chance.randint(1, 10)
        self._fleet.sink.to_drop += number
        return number

    def _victim(self) -> MailerProcess:
        return self._running.pop(self._chance.randrange(len(self._running)))


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    """A sink whose replies take their time, so that there is always mail on the wire."""
    with fleet_on_a_sink(database, tmp_path) as running:
        running.sink.late_seconds = 0.004
        yield running


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_mail_arrives_through_all_misfortunes(fleet: Fleet, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 the same walk for the same seed
    walk = Walk(fleet, chance)
    strokes = walk.misfortunes() * ROUNDS
    chance.shuffle(strokes)
    portion = MAILS // len(strokes)
    queued: set[str] = set()
    bound = 0

    for stroke in strokes:
        queued |= fleet.queue(portion, first=len(queued))
        fleet.wait_for_mail(len(fleet.sink.taken) + chance.randint(1, portion // 2))
        bound += stroke()
    fleet.finish(seconds=300)

    print(f"{fleet.sink.duplicates()} mails went twice, {bound} may")  # noqa: T201 shown with -rP
    assert_all_arrived(fleet, queued, most_duplicates=bound)


@pytest.mark.timeout(300)
def test_frozen_mailer_sends_nothing_after_the_lease_that_it_really_has(fleet: Fleet) -> None:
    frozen = fleet.start(short_lease=False)
    queued = fleet.queue(MAILS)
    fleet.wait_for_mail(100)
    claimed = fleet.freeze(frozen)

    fleet.start(short_lease=False)
    eventually(lambda: claimed <= set(fleet.sink.times_taken()), seconds=120)
    frozen.signal(signal.SIGCONT)
    fleet.finish(seconds=120)

    assert_all_arrived(fleet, queued, most_duplicates=CONNECTIONS)
