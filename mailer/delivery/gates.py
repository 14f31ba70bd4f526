"""What holds all mail back, or a kind of it: why, since when, and when it is tried next.

A closed gate is a row, so that every mailer knows of it, and the operator too. Nothing is charged to
the mail that waits behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, text

from common.mail_gates import ALLOWANCE, PAUSE, QUOTA, RELAY, is_pause, paused_kind
from common.outbox import CHANNEL
from mailer.smtp.errors import DeliveryError, Scope

log = structlog.get_logger(__name__)

HOLD_ALL = {RELAY, QUOTA, PAUSE, ALLOWANCE}
LONGEST_REASON = 500
SELDOM_SECONDS = 900  # what lasts is said again so often
PROBE_TIME = timedelta(minutes=2)  # for a probe to end, before another may begin

# After the first, second, ... probe that failed, in seconds. What is back is noticed within a minute;
# but a refused login that is repeated each minute is what gets an account locked.
PAUSES: Mapping[str, tuple[float, ...]] = {
    "server": (1, 2, 4, 8, 15, 30, 60),
    "login": (60, 120, 240, 480, 900),
    "credentials": (60,),
    "quota": (3600,),
}

READ = text("""
    SELECT name, cause, reason, since, probes, coalesce(next_probe_at <= clock_timestamp(), false) AS is_due
      FROM mail_gates
""")
CLOSE = """
    INSERT INTO mail_gates AS known (name, cause, reason, next_probe_at, probes)
    VALUES (:name, :cause, :reason, clock_timestamp() + :pause, :probes)
    ON CONFLICT (name) DO UPDATE
       SET cause = EXCLUDED.cause, reason = EXCLUDED.reason, next_probe_at = EXCLUDED.next_probe_at,
           probes = EXCLUDED.probes,
           since = CASE WHEN known.cause = EXCLUDED.cause THEN known.since ELSE clock_timestamp() END
"""
OPEN = "DELETE FROM mail_gates WHERE name = :name RETURNING since"
TAKE_PROBE = """
    UPDATE mail_gates SET next_probe_at = clock_timestamp() + :time
     WHERE name = :name AND (next_probe_at <= clock_timestamp() OR :at_once)
"""


@dataclass(frozen=True, slots=True)
class Gate:
    """One that is closed, and whether it is time to try; the database's time, for it is set there."""

    name: str
    cause: str
    reason: str
    since: datetime
    probes: int
    is_due: bool


def read_gates(connection: Connection) -> dict[str, Gate]:
    """Return all that are closed, by name."""
    return {row.name: Gate(*row) for row in connection.execute(READ)}


def held_kinds(gates: Mapping[str, Gate]) -> list[str]:
    """Return the kinds of mail that an operator has paused."""
    return [kind for name in gates if is_pause(name) and (kind := paused_kind(name))]


def trouble_of(gates: Mapping[str, Gate]) -> str | None:
    """Return what stands in the way of all mail, in words; None is nothing."""
    for name in (RELAY, QUOTA, PAUSE, ALLOWANCE):
        if name in gates:
            return gates[name].reason
    return None


def pause_after(error: DeliveryError, probes: int) -> timedelta:
    """Return how long to leave it alone after so many failures in a row."""
    steps = PAUSES[error.cause]
    pause = timedelta(seconds=steps[min(probes, len(steps)) - 1])
    return max(pause, error.wait or pause)


def gate_of(error: DeliveryError) -> str:
    """Return the name of the gate that the error closes."""
    return QUOTA if error.scope is Scope.QUOTA else RELAY


def close_gate(connection: Connection, error: DeliveryError, *, probed: bool) -> None:
    """Hold all mail back for a while.

    `probed` tells a look at the gate from mail that was still on its way when it closed: that
    changes nothing.
    """
    name = gate_of(error)
    known = read_gates(connection).get(name)
    if known and not probed:
        return
    same = known is not None and known.cause == error.cause
    probes = known.probes + 1 if known and same else 1
    pause = pause_after(error, probes)
    values = {
        "name": name,
        "cause": error.cause,
        "reason": str(error)[:LONGEST_REASON],
        "pause": pause,
        "probes": probes,
    }
    connection.execute(text(CLOSE), values)
    seconds = round(pause.total_seconds())
    if not same:
        log.warning(
            "gate closed",
            gate=name,
            cause=error.cause,
            reason=str(error),
            next_probe_seconds=seconds,
        )
    else:
        level = log.info if seconds >= SELDOM_SECONDS else log.debug
        level("gate still closed", gate=name, cause=error.cause, next_probe_seconds=seconds)


def open_gate(connection: Connection, name: str) -> None:
    """Let mail through again, and wake all mailers for it."""
    since = connection.scalar(text(OPEN), {"name": name})
    if since is not None:
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
        log.info("gate open", gate=name, closed_since=since.isoformat())


def take_probe(connection: Connection, name: str, *, at_once: bool = False) -> bool:
    """Say whether it is ours to try now; no other mailer does for a while."""
    values = {"name": name, "time": PROBE_TIME, "at_once": at_once}
    return connection.execute(text(TAKE_PROBE), values).rowcount == 1
