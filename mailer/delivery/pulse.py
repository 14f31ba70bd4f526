"""Whether mail gets on: a mailer is well while something comes of what is due, whatever its process does."""

import time
from collections.abc import Callable, Mapping

from sqlalchemy import text

from mailer.delivery.desk import Desk
from mailer.delivery.gates import HOLD_ALL, Gate, held_kinds
from mailer.delivery.session import Session

STUCK_SECONDS = 120.0
LOOK_SECONDS = 10.0
OVERDUE = """
    SELECT EXISTS (SELECT FROM outbox
                    WHERE state = 'queued' AND due_at < clock_timestamp() - make_interval(secs => :seconds)
                      AND (lease_by IS NULL OR lease_by = :me)
                      AND kind <> ALL (CAST(:held_kinds AS text[])))
"""


class Pulse:
    """Looks now and then. `patience_seconds` is what one mail may honestly take on the wire."""

    def __init__(
        self, desk: Desk, patience_seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._desk = desk
        self._patience_seconds = max(patience_seconds, STUCK_SECONDS)
        self._now = now
        self._look_at = 0.0
        self._overdue = False

    def is_well(self, session: Session, gates: Mapping[str, Gate]) -> bool:
        """Return False where mail is overdue, no gate holds it back, and nothing comes of any."""
        if gates.keys() & HOLD_ALL:
            return True
        if self._now() >= self._look_at:
            values = {
                "seconds": STUCK_SECONDS,
                "me": session.number,
                "held_kinds": held_kinds(gates),
            }
            self._overdue = bool(session.connection.scalar(text(OVERDUE), values))
            self._look_at = self._now() + LOOK_SECONDS
        limit = self._patience_seconds if self._desk.in_hand() else STUCK_SECONDS
        return not self._overdue or self._desk.idle_seconds() < limit
