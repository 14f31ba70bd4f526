"""How the mail does, in figures: what `status` shows an operator and `/metrics` a monitoring system.

What waits and what asks for attention is counted in full; what is done, over the last 24 hours. So
the cost follows the mail of a day, not the mail that is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from common.mailer_locks import is_held

WINDOWS_SECONDS = (60, 300, 3600)
QUANTILES = (0.5, 0.95, 0.99)
NEWEST = 10_000  # as many mails, of the last hour, tell how long it takes
RETRY_SECONDS = (0, 60, 300, 1800, 7200, 18000)  # until the next try, each at most

# Both lanes, so that each is found by its own index.
WAITING = """
    WITH waiting AS (
        SELECT kind, due_at, lease_by FROM outbox WHERE state = 'queued' AND attempts = 0
         UNION ALL
        SELECT kind, due_at, lease_by FROM outbox WHERE state = 'queued' AND attempts > 0
    )
    SELECT kind, count(*) AS mails, count(*) FILTER (WHERE due_at <= now()) AS due,
           count(lease_by) AS in_hand, min(due_at) FILTER (WHERE due_at <= now()) AS oldest_due_at
      FROM waiting
  GROUP BY kind
  ORDER BY kind
"""
RETRIES = """
    SELECT width_bucket(extract(epoch FROM due_at - now()), CAST(:edges AS numeric[])) AS bucket,
           count(*) AS mails
      FROM outbox
     WHERE state = 'queued' AND attempts > 0
  GROUP BY bucket
"""
DONE = """
    SELECT state, kind, count(*) AS mails
      FROM outbox WHERE state IN ('dead', 'unsure') GROUP BY state, kind
     UNION ALL
    SELECT state, kind, count(*)
      FROM outbox
     WHERE state IN ('expired', 'suppressed', 'cancelled') AND done_at > now() - interval '24 hours'
  GROUP BY state, kind
     UNION ALL
    SELECT state, kind, count(*)
      FROM outbox WHERE state = 'sent' AND done_at > now() - interval '24 hours' GROUP BY state, kind
  ORDER BY state, kind
"""
SENT = """
    SELECT (SELECT count(*)
              FROM outbox
             WHERE state = 'sent' AND done_at > now() - make_interval(secs => seconds)) AS mails
      FROM unnest(CAST(:windows AS integer[])) WITH ORDINALITY AS "window" (seconds, place)
  ORDER BY place
"""
# A retry moves due_at, so there the first try counts; a mail that was to go later counts from then.
SECONDS_TO_ACCEPT = """
    SELECT percentile_cont(CAST(:quantiles AS float8[])) WITHIN GROUP (ORDER BY seconds) AS seconds
      FROM (SELECT extract(epoch FROM done_at - least(first_try_at, greatest(created_at, due_at))) AS seconds
              FROM outbox
             WHERE state = 'sent' AND done_at > now() - interval '1 hour'
          ORDER BY done_at DESC
             LIMIT :newest) AS newest
"""
GATES = "SELECT name, cause, reason, since, next_probe_at, probes FROM mail_gates ORDER BY name"
# One that lives holds its lock, and its lease runs. One that is gone matters while it has mail in hand;
# what that is, is looked up in both lanes, and only where one is gone.
MAILERS = """
    WITH known AS (
        SELECT m.number, m.host, m.started_at, m.lease_until,
               m.lease_until > clock_timestamp() AND {is_held} AS lives
          FROM mailers m
    )
    SELECT number, host, started_at, lease_until, lives
      FROM known
     WHERE lives OR number IN (
           SELECT lease_by FROM outbox WHERE state = 'queued' AND attempts = 0 AND lease_by IS NOT NULL
            UNION ALL
           SELECT lease_by FROM outbox WHERE state = 'queued' AND attempts > 0 AND lease_by IS NOT NULL)
  ORDER BY started_at
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The queued mail of one kind: all of it, what is due, what a mailer has in hand.

    `oldest_due_at` is since when the one that is due the longest is due: also where a gate is closed,
    the kind is paused, or a mailer holds it, since one that holds it for long has come to a stop.
    None: nothing is due. A mail that waits for its time or for its next try is not due.
    """

    kind: str
    mails: int
    due: int
    in_hand: int
    oldest_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Done:
    """How much mail of a kind is in a state: of the dead and unsure all, else of the last 24 hours."""

    state: str
    kind: str
    mails: int


@dataclass(frozen=True, slots=True)
class ClosedGate:
    """What holds mail back, and when it is tried next (None: when an operator says so)."""

    name: str
    cause: str
    reason: str
    since: datetime
    next_probe_at: datetime | None
    probes: int


@dataclass(frozen=True, slots=True)
class Mailer:
    """A mailer at work; or one that is gone, and had mail in hand that nobody has taken up yet."""

    number: int
    host: str
    started_at: datetime
    lease_until: datetime
    lives: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All of it, at one moment of the database's clock.

    `sent` is how many mails the relay took within each of WINDOWS_SECONDS. `seconds_to_accept` has one
    value for each of QUANTILES, from when a mail could go first (when it was queued, or was to be
    sent) to when the relay took it, of the newest mails of the last hour; empty without any.
    `retries` is how many mails that failed before are tried again within each of RETRY_SECONDS, and
    at last how many in all.
    """

    at: datetime
    waiting: tuple[Waiting, ...]
    done: tuple[Done, ...]
    sent: tuple[int, ...]
    seconds_to_accept: tuple[float, ...]
    retries: tuple[int, ...]
    gates: tuple[ClosedGate, ...]
    mailers: tuple[Mailer, ...]

    @property
    def oldest_due_at(self) -> datetime | None:
        """Return since when the mail that is due the longest is due, of whatever kind."""
        return min((one.oldest_due_at for one in self.waiting if one.oldest_due_at), default=None)

    @property
    def alive(self) -> list[Mailer]:
        """Return the mailers that live."""
        return [mailer for mailer in self.mailers if mailer.lives]

    def count(self, state: str) -> int:
        """Return how much mail is in a state: see `Waiting` and `Done`."""
        if state == "queued":
            return sum(one.mails for one in self.waiting)
        return sum(one.mails for one in self.done if one.state == state)


def read_figures(connection: Connection | Session) -> Figures:
    """Return the figures as they are now; raises SQLAlchemy's errors."""
    return Figures(
        at=connection.execute(text("SELECT now()")).scalar_one(),
        waiting=tuple(Waiting(*row) for row in connection.execute(text(WAITING))),
        done=tuple(Done(*row) for row in connection.execute(text(DONE))),
        sent=tuple(read_sent(connection)),
        seconds_to_accept=tuple(read_seconds_to_accept(connection)),
        retries=tuple(read_retries(connection)),
        gates=read_closed_gates(connection),
        mailers=read_mailers(connection),
    )


def read_sent(connection: Connection | Session) -> list[int]:
    """Return how many mails the relay took within each of WINDOWS_SECONDS."""
    rows = connection.execute(text(SENT), {"windows": list(WINDOWS_SECONDS)})
    return [row.mails for row in rows]


def read_seconds_to_accept(connection: Connection | Session) -> list[float]:
    """Return the seconds for each of QUANTILES, or nothing where nothing was sent."""
    values = {"quantiles": list(QUANTILES), "newest": NEWEST}
    found: list[float] | None = connection.execute(text(SECONDS_TO_ACCEPT), values).scalar_one()
    return found or []


def read_retries(connection: Connection | Session) -> Iterator[int]:
    """Yield how many mails are tried again within each of RETRY_SECONDS, and how many in all."""
    rows = connection.execute(text(RETRIES), {"edges": list(RETRY_SECONDS)})
    buckets = {row.bucket: row.mails for row in rows}
    total = 0
    for bucket in range(len(RETRY_SECONDS) + 1):
        total += buckets.get(bucket, 0)
        yield total


def read_closed_gates(connection: Connection | Session) -> tuple[ClosedGate, ...]:
    """Return what holds mail back."""
    return tuple(ClosedGate(*row) for row in connection.execute(text(GATES)))


def read_mailers(connection: Connection | Session) -> tuple[Mailer, ...]:
    """Return the mailers that live, and those that are gone and still have mail in hand."""
    rows = connection.execute(text(MAILERS.format(is_held=is_held("m.number"))))
    return tuple(Mailer(*row) for row in rows)
