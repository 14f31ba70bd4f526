"""What holds mail back just now, and who is there to send it: in one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from common.mail_figures import ClosedGate
from common.mailer_locks import is_held

# The mail that is due the longest is at the front of one of nine priorities, of two lanes: eighteen looks
# at an index, however much there is.
STANDING = """
    SELECT clock_timestamp() AS at,
           (SELECT coalesce(json_agg(g ORDER BY name), '[]') FROM mail_gates g) AS gates,
           (SELECT coalesce(json_agg(m ORDER BY started_at), '[]')
              FROM (SELECT number, host, started_at, connections, daily_quota
                      FROM mailers
                     WHERE lease_until > clock_timestamp() AND {is_held}) AS m) AS mailers,
           (SELECT min(due_at)
              FROM generate_series(1, 9) AS priorities (p), LATERAL (
                   (SELECT due_at FROM outbox WHERE state = 'queued' AND attempts = 0 AND priority = p
                  ORDER BY due_at LIMIT 1)
                    UNION ALL
                   (SELECT due_at FROM outbox WHERE state = 'queued' AND attempts > 0 AND priority = p
                  ORDER BY due_at LIMIT 1)) AS first
             WHERE due_at <= clock_timestamp()) AS oldest_due_at
"""


@dataclass(frozen=True, slots=True)
class Mailer:
    """A mailer that lives, and what bounds it; a quota of 0 is none, None was not told."""

    number: int
    host: str
    started_at: datetime
    connections: int | None
    daily_quota: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it, at one moment of the database's clock; `oldest_due_at` is None where nothing is due."""

    at: datetime
    gates: tuple[ClosedGate, ...]
    mailers: tuple[Mailer, ...]
    oldest_due_at: datetime | None

    @property
    def alive(self) -> set[int]:
        """Return the numbers of the mailers that live."""
        return {mailer.number for mailer in self.mailers}

    @property
    def connections(self) -> int:
        """Return how many mails may be on the wire at once."""
        return sum(mailer.connections or 0 for mailer in self.mailers)

    @property
    def daily_quota(self) -> int:
        """Return how many mails may go in 24 hours; 0 is no limit, as far as is known."""
        return max((mailer.daily_quota or 0 for mailer in self.mailers), default=0)


def read_standing(connection: Connection) -> Standing:
    """Return it as it is now."""
    row = connection.execute(text(STANDING.format(is_held=is_held("number")))).one()
    gates = tuple(ClosedGate(**with_instants(gate)) for gate in row.gates)
    mailers = tuple(Mailer(**with_instants(mailer)) for mailer in row.mailers)
    return Standing(row.at, gates, mailers, row.oldest_due_at)


def with_instants(told: dict[str, Any]) -> dict[str, Any]:
    """Return the values, with those that are times as times: JSON has none."""
    names = {"since", "next_probe_at", "started_at"}
    return {
        name: datetime.fromisoformat(value) if name in names and value else value
        for name, value in told.items()
    }
