"""How much mail there is, of what kind and in what state; and how much went when, and how fast.

Counting ends at MOST: a page is no slower for a million mails that wait. What is over was counted by the
mailer, hour by hour; only what came since then is counted here.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

MOST = 10_000  # of each state
NEWEST = 10_000  # as many mails tell how long it takes just now
EVERY_KIND = "*"

COUNTS = text("""
    WITH mails AS (
        (SELECT state, kind, due_at FROM outbox WHERE state = 'queued' AND attempts = 0 LIMIT :most)
         UNION ALL
        (SELECT state, kind, due_at FROM outbox WHERE state = 'queued' AND attempts > 0 LIMIT :most)
         UNION ALL
        (SELECT state, kind, NULL FROM outbox WHERE state = 'dead' LIMIT :most)
         UNION ALL
        (SELECT state, kind, NULL FROM outbox WHERE state = 'unsure' LIMIT :most)
         UNION ALL
        (SELECT state, kind, NULL FROM outbox
          WHERE state IN ('expired', 'suppressed', 'cancelled') AND done_at > now() - interval '24 hours' LIMIT :most)
    )
    SELECT state, kind, count(*) AS mails, count(*) FILTER (WHERE due_at <= now()) AS due
      FROM mails
  GROUP BY state, kind
  ORDER BY kind, state
""")
SPANS = text("""
    WITH since AS (
        SELECT greatest(max(begins_at) + interval '1 hour',
                        date_trunc('hour', now(), 'UTC') - interval '23 hours') AS at
          FROM mail_tallies
         WHERE length = 'hour' AND kind = '*'
    ), counted AS (
        SELECT date_trunc('hour', done_at, 'UTC') AS begins_at, count(*) AS sent
          FROM outbox
         WHERE state = 'sent' AND done_at >= (SELECT at FROM since)
      GROUP BY 1
    ), newest AS (
        SELECT done_at, done_at - least(first_try_at, greatest(created_at, due_at)) AS lasted
          FROM outbox
         WHERE state = 'sent' AND done_at >= (SELECT at FROM since)
      ORDER BY done_at DESC
         LIMIT :newest
    ), timed AS (
        SELECT date_trunc('hour', done_at, 'UTC') AS begins_at,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM lasted)) AS half_seconds,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM lasted)) AS most_seconds
          FROM newest
      GROUP BY 1
    )
    SELECT length, begins_at, kind, sent, half_seconds, most_seconds
      FROM mail_tallies
     WHERE length = 'hour' AND begins_at >= date_trunc('hour', now(), 'UTC') - interval '23 hours'
        OR length = 'day' AND kind = '*' AND begins_at >= date_trunc('day', now(), 'UTC') - interval '29 days'
     UNION ALL
    SELECT 'hour', begins_at, '*', counted.sent, half_seconds, most_seconds
      FROM counted LEFT JOIN timed USING (begins_at)
  ORDER BY begins_at DESC
""")


@dataclass(slots=True)
class Kind:
    """How much of one kind there is: what waits and asks for attention, and what was sent in a day.

    What was sent in this hour is counted with the hour's end.
    """

    name: str
    mails: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    due: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """An hour or a day: what was sent in it, and how long half and 95 of 100 of that took at most."""

    begins_at: datetime
    sent: int
    half_seconds: float | None
    most_seconds: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it; the newest hour and the newest day are not over yet."""

    kinds: list[Kind]
    hours: list[Span]
    days: list[Span]

    def count(self, state: str) -> int:
        """Return how much mail is in a state; MOST and more is at least so much."""
        return sum(kind.mails[state] for kind in self.kinds)

    @property
    def due(self) -> int:
        """Return how much could go now."""
        return sum(kind.due for kind in self.kinds)

    @property
    def sent(self) -> int:
        """Return how much went within the last 24 hours, of which the first is not whole."""
        return sum(hour.sent for hour in self.hours)


def read_figures(connection: Connection, at: datetime) -> Figures:
    """Return them as they are now."""
    kinds: dict[str, Kind] = {}
    for row in connection.execute(COUNTS, {"most": MOST}):
        kind = kinds.setdefault(row.kind, Kind(row.kind))
        kind.mails[row.state] += row.mails
        kind.due += row.due
    spans = connection.execute(SPANS, {"newest": NEWEST}).all()
    for row in spans:
        if row.length == "hour" and row.kind != EVERY_KIND:
            kinds.setdefault(row.kind, Kind(row.kind)).sent += row.sent
    hours = spans_of(row for row in spans if row.length == "hour" and row.kind == EVERY_KIND)
    days = spans_of(row for row in spans if row.length == "day")
    return Figures(sorted(kinds.values(), key=name_of), hours, [today(hours, at), *days])


def spans_of(rows: Iterable[Any]) -> list[Span]:
    """Return the hours or the days of these rows."""
    return [Span(row.begins_at, row.sent, row.half_seconds, row.most_seconds) for row in rows]


def today(hours: list[Span], at: datetime) -> Span:
    """Return the day as far as it has come; how long its mail took is known once it is over."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    sent = sum(hour.sent for hour in hours if hour.begins_at >= midnight)
    return Span(midnight, sent, None, None)


def name_of(kind: Kind) -> str:
    """Return what the kinds are sorted by."""
    return kind.name
