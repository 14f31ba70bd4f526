"""How far the mail of an update has come: its rows of the outbox, by state."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from common.schema import outbox

# In the order in which they are shown.
STATES = {
    "sent": "sent",
    "queued": "waiting",
    "unsure": "sent or not, the relay's answer was lost",
    "dead": "refused, or given up",
    "expired": "not sent within a day",
    "suppressed": "left out, they get no more mail",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class Sending:
    """How many mails are in which state."""

    by_state: Mapping[str, int]

    @property
    def total(self) -> int:
        """Return how many there are."""
        return sum(self.by_state.values())

    @property
    def done(self) -> int:
        """Return how many wait no more, whatever came of them."""
        return self.total - self.by_state.get("queued", 0)

    @property
    def ended(self) -> bool:
        """Return whether none waits."""
        return self.done == self.total

    def told(self) -> dict[str, int]:
        """Return the number by what is said of the state, for those that there are."""
        return {STATES[state]: self.by_state[state] for state in STATES if state in self.by_state}


def progress(connection: Connection, bodies: Collection[int]) -> dict[int, Sending]:
    """Return it for each of these mails that is still kept."""
    columns = outbox.c
    statement = (
        select(columns.body_id, columns.state, func.count())
        .where(columns.body_id.in_(bodies))
        .group_by(columns.body_id, columns.state)
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for body, state, number in connection.execute(statement) if bodies else ():
        found[body][state] = number
    return {body: Sending(states) for body, states in found.items()}
