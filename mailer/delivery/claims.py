"""Claiming mail: one statement for each lane of the queue, prepared once for each life in the database.

To read and plan it takes PostgreSQL three times as long as to answer it, and it is asked for each mail
that comes alone.
"""

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from common.mailer_locks import is_held
from mailer.delivery.clock import now
from mailer.delivery.outbox import Mail

ALWAYS = datetime.min.replace(tzinfo=UTC)

# One lane of the queue, in the order of priority, then time. Each priority is a range of the index of
# its own, begun where the last look ended: what was settled before leaves dead entries there, which
# pile up while a long transaction is open. What a living mailer holds is passed over; what a dead one
# held is taken. No column of an index changes, and losing a claim in a crash only offers it again.
# As many as fit into so many bytes, for all of it is kept in memory. Tries from before an operator had
# it tried anew do not count.
CLAIM = """
    WITH chosen AS MATERIALIZED (
        SELECT one.id, one.lease_by AS lost_by, one.body_id,
               row_number() OVER (ORDER BY range.priority, one.due_at, one.id) AS place
          FROM unnest($2, $3) AS range (priority, bound)
         CROSS JOIN LATERAL (
               SELECT id, lease_by, body_id, due_at
                 FROM outbox
                WHERE state = 'queued' AND attempts {lane} AND priority = range.priority
                  AND due_at BETWEEN range.bound AND now()
                  AND (lease_by IS NULL OR (lease_by <> ALL ($4) AND {gone}))
                  AND id <> ALL ($6)
                  AND kind <> ALL ($7)
             ORDER BY due_at, id
                LIMIT $9
                  FOR UPDATE SKIP LOCKED) AS one
         LIMIT $9
    ), fitting AS (
        SELECT c.id, c.lost_by, c.place, sum(octet_length(b.content)) OVER (ORDER BY c.place) AS bytes
          FROM chosen c
          JOIN mail_bodies b ON b.id = c.body_id
    )
    UPDATE outbox m
       SET lease_by = $1, first_try_at = coalesce(first_try_at, clock_timestamp())
      FROM fitting, mail_bodies b
     WHERE m.id = fitting.id AND b.id = m.body_id
       AND (fitting.bytes <= $8 OR (fitting.place = 1 AND fitting.bytes > $10))
 RETURNING m.id, m.message_id, m.kind, m.priority, m.sender, m.recipient, m.head, m.body_id,
           CASE WHEN octet_length(b.content) <= {portion} THEN b.content END AS content,
           m.attempts, m.crashes, m.when_unsure, m.request_id, m.due_at, fitting.lost_by,
           CAST(extract(epoch FROM m.expires_at - clock_timestamp()) AS float) AS seconds_left,
           EXISTS (SELECT FROM mail_suppressions s
                    WHERE s.address = lower(m.recipient) AND s.scope IN ('*', m.kind)) AS suppressed,
           CASE WHEN m.attempts = 0 THEN 0 ELSE
               (SELECT count(*) FROM mail_attempts a
                 WHERE a.mail_id = m.id AND a.at >= m.first_try_at AND a.scope = 'unsure')
           END AS unsure_tries,
           CASE WHEN m.attempts = 0 THEN 0 ELSE
               (SELECT count(*) FROM mail_attempts a
                 WHERE a.mail_id = m.id AND a.at >= m.first_try_at AND a.scope = 'bug')
           END AS bugs
"""
FRESH, RETRY = "= 0", "> 0"  # the two lanes
# Asked of each mail in hands that nobody has seen at work lately: a mailer may have come since. The locks
# are as they are now. A frozen mailer has its lock still, so who saw it frozen says so.
GONE = f"(lease_by = ANY ($5) OR NOT {is_held('lease_by')})"

TYPES = {
    "me": "integer",
    "priorities": "smallint[]",
    "bounds": "timestamptz[]",
    "alive": "integer[]",
    "frozen": "integer[]",
    "in_hand": "bigint[]",
    "held_kinds": "text[]",
    "bytes": "bigint",
    "number": "integer",
    "too_large": "bigint",
}
NAMES = {FRESH: "claim_fresh", RETRY: "claim_retry"}
# On its way here a content takes five times its size; so what is large comes in portions of so many bytes.
PORTION = 2**20
LOAD = text("SELECT substring(content FROM :start FOR :length) FROM mail_bodies WHERE id = :id")
PREPARE = "PREPARE {name} ({types}) AS {statement}"
VALUES = ", ".join(f"CAST(:{name} AS {kind})" for name, kind in TYPES.items())
EXECUTE = {lane: text(f"EXECUTE {name} ({VALUES})") for lane, name in NAMES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Who looks for mail, and which mail will do.

    `alive` are the mailers seen at work lately, `frozen` those that hold their lock and do nothing.
    `bounds` says for each priority that may pass from when on to look, `bytes` how much there is
    room for. A mail of more than `too_large` never fits: it goes when it is the first.
    """

    me: int
    alive: Collection[int]
    frozen: Collection[int]
    in_hand: Collection[int]
    held_kinds: Collection[str]
    bounds: Mapping[int, datetime]
    bytes: int
    too_large: int


class Claims:
    """Claims on one connection, which is then ours alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.exec_driver_sql("DEALLOCATE ALL")  # another life may have left something
        for lane, name in NAMES.items():
            statement = CLAIM.format(lane=lane, gone=GONE, portion=PORTION)
            types = ", ".join(TYPES.values())
            whole = PREPARE.format(name=name, types=types, statement=statement)
            connection.exec_driver_sql(whole)

    def take(self, lane: str, look: Look, number: int) -> list[Mail]:
        """Take up to so many mails that are due, first things first."""
        values = {
            "me": look.me,
            "priorities": list(look.bounds.keys()),
            "bounds": list(look.bounds.values()),
            "alive": list(look.alive),
            "frozen": list(look.frozen),
            "in_hand": list(look.in_hand),
            "held_kinds": list(look.held_kinds),
            "bytes": look.bytes,
            "number": number,
            "too_large": look.too_large,
        }
        rows = self._connection.execute(EXECUTE[lane], values).all()
        moment = now()
        mails = [self._read(row._asdict(), look.me, moment) for row in rows]
        return sorted(mails, key=lambda mail: (mail.priority, mail.due_at, mail.id))

    def _read(self, row: dict[str, Any], me: int, moment: float) -> Mail:
        """Return the mail of a row that was read at this moment."""
        head, content, body_id = bytes(row.pop("head")), row.pop("content"), row.pop("body_id")
        raw = head + bytes(content) if content is not None else self._load(head, body_id)
        left = row.pop("seconds_left")
        too_late_at = None if left is None else moment + left
        return Mail(**row, raw=raw, too_late_at=too_late_at, lease_by=me)

    def _load(self, head: bytes, body_id: int) -> bytes:
        """Return a large mail."""
        raw = io.BytesIO()
        raw.write(head)
        start = 1
        while True:
            values = {"id": body_id, "start": start, "length": PORTION}
            portion = self._connection.scalar(LOAD, values)
            if not portion:
                return raw.getvalue()
            raw.write(portion)
            start += PORTION
