"""How the parts are, as the page, the API and the badge say it: now, or when it was last known."""

from dataclasses import dataclass

from common.condition import (
    BEAT_IS_OLD,
    Part,
    State,
    judge,
    judge_without_database,
    overall,
)
from web.status.days import Day, calendar
from web.status.known import Known, known, moment


@dataclass(frozen=True, slots=True)
class Standing:
    """The parts, and what is known of them; `away` says that the database is, and all is from before."""

    parts: list[Part]
    known: Known
    away: bool

    @property
    def overall(self) -> State:
        """Return the worst state of all."""
        return overall(self.parts)

    def calendar(self, part: str) -> list[Day]:
        """Return the part's last days, the oldest first."""
        return calendar(self.known.measured.days[part], self.known.at)


def standing() -> Standing:
    """Return how the parts are; raises SQLAlchemy's errors where the database is away and nothing is kept.

    A part that is silent for a short while is not yet called down, and nor is the database.
    """
    now = known()
    away = moment() - now.at > BEAT_IS_OLD
    parts = judge(now.facts, now.measured.last, now.at)
    return Standing(judge_without_database() if away else parts, now, away)
