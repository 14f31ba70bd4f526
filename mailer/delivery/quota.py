"""Our own count of what the account may send in a day, so that the relay need not refuse it."""

import math
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from common.mail_gates import ALLOWANCE
from common.outbox import LAST_URGENT
from mailer.delivery.gates import LONGEST_REASON, Gate

RESERVE = 0.1  # this part of the quota is for urgent mail
LOWEST = 9

# A rolling day, as Gmail counts (support.google.com/a/answer/166852); what may have gone counts too.
USED = """
    SELECT count(*) + (SELECT count(*) FROM outbox
                        WHERE state = 'unsure' AND done_at > clock_timestamp() - interval '24 hours') AS used,
           min(done_at) + interval '24 hours' AS free_at
      FROM outbox
     WHERE state = 'sent' AND done_at > clock_timestamp() - interval '24 hours'
"""
EXPLAIN = """
    INSERT INTO mail_gates (name, cause, reason, next_probe_at) VALUES (:name, 'quota', :reason, :free_at)
    ON CONFLICT (name) DO UPDATE SET reason = EXCLUDED.reason, next_probe_at = EXCLUDED.next_probe_at
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many mails may go now, down to which priority."""

    number: int
    lowest_priority: int = LOWEST
    reason: str | None = None
    free_at: datetime | None = None


def allowance(quota: int, used: int, free_at: datetime | None) -> Allowance:
    """Return what is left of a quota of so many mails in 24 hours."""
    reserve = math.ceil(quota * RESERVE)
    left = quota - used
    if left > reserve:
        return Allowance(left - reserve)
    if left > 0:
        reason = f"the last tenth of {quota} mails in 24 hours is kept for urgent mail"
        return Allowance(left, LAST_URGENT, reason, free_at)
    reason = f"all {quota} mails in 24 hours are used (MAIL_DAILY_QUOTA)"
    return Allowance(0, 0, reason, free_at)


def read_allowance(connection: Connection, quota: int, in_hand: int) -> Allowance:
    """Return what may go now; a quota of 0 is none. What is in hand counts as used.

    What other mailers have in hand does not, so several may overdraw it by that much.
    """
    if not quota:
        return Allowance(2**31)
    row = connection.execute(text(USED)).one()
    return allowance(quota, row.used + in_hand, row.free_at)


def explain(connection: Connection, now: Allowance, known: Gate | None) -> None:
    """Write down why mail waits for the quota, or that it does no more."""
    if now.reason is None:
        if known:
            connection.execute(
                text("DELETE FROM mail_gates WHERE name = :name"), {"name": ALLOWANCE}
            )
    elif known is None or known.reason != now.reason[:LONGEST_REASON]:
        values = {"name": ALLOWANCE, "reason": now.reason, "free_at": now.free_at}
        connection.execute(text(EXPLAIN), values)
