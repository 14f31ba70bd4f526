"""Who met which limit: logged and counted at once, and kept until it is written to the database.

An attack costs a line of the log for each request, and one statement in some seconds.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

import structlog
from flask import g, request
from flask_limiter import RequestLimit

from web.limits import figures, site

NEW_PER_MINUTE = 60  # rows of one process; what comes on top is logged and counted
MOST = 600  # should nobody write them
LONGEST_ADDRESS = 64

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """What becomes one row."""

    minute: datetime
    route: str
    rule: str
    who: str


@dataclass(slots=True)
class Breach:
    """The address and the request of the first of a kind, and how many they are by now."""

    address: str
    request_id: str
    times: int = 1


class Pending:
    """Breaches that are not written yet, summed up."""

    def __init__(self) -> None:
        self._rows: dict[Kind, Breach] = {}
        self._minute: datetime | None = None
        self._new = 0
        self._lock = Lock()

    def add(self, kind: Kind, breach: Breach) -> bool:
        """Add a breach; return False where there are too many others already."""
        with self._lock:
            if known := self._rows.get(kind):
                known.times += breach.times
                return True
            if kind.minute != self._minute:
                self._minute, self._new = kind.minute, 0
            if self._new >= NEW_PER_MINUTE or len(self._rows) >= MOST:
                return False
            self._new += 1
            self._rows[kind] = breach
            return True

    def take(self) -> dict[Kind, Breach]:
        """Return them, and begin anew."""
        with self._lock:
            rows, self._rows = self._rows, {}
        return rows


pending = Pending()


def note(met: RequestLimit) -> None:
    """Log a breach, count it, and keep it; none of this waits for anything."""
    who, rule = met.request_args[-2:]
    route = request.endpoint or site.UNKNOWN
    address = request.remote_addr or ""
    log.warning(
        "rate limit exceeded",
        limit=str(met.limit),
        rule=rule,
        route=route,
        who=who,
        address=address,
    )
    figures.BREACHES.labels(route, rule).inc()
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    breach = Breach(address[:LONGEST_ADDRESS], g.request_id)
    if not pending.add(Kind(minute, route, rule, who), breach):
        figures.UNWRITTEN.inc()
