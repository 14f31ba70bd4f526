"""The outbox as the mailer uses it: claiming mail, and recording what came of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from common.schema import MAILER_LOCKS
from mailer.delivery.clock import now

LONGEST_ERROR = 500
ALWAYS = datetime.min.replace(tzinfo=UTC)

# One lane of the queue, in the order of priority, then time. Each priority is a range of the index of
# its own, begun where the last look ended: what was settled before leaves dead entries there, which
# pile up while a long transaction is open. What a living mailer holds is passed over; what a dead one
# held is taken. No column of an index changes, and losing a claim in a crash only offers it again.
# As many as fit into so many bytes, for all of it is kept in memory; but one always does.
CLAIM = """
    WITH chosen AS MATERIALIZED (
        SELECT one.id, one.lease_by AS lost_by, one.body_id,
               row_number() OVER (ORDER BY range.priority, one.due_at, one.id) AS place
          FROM unnest(CAST(:priorities AS smallint[]), CAST(:bounds AS timestamptz[])) AS range (priority, bound)
         CROSS JOIN LATERAL (
               SELECT id, lease_by, body_id, due_at
                 FROM outbox
                WHERE state = 'queued' AND attempts {lane} AND priority = range.priority
                  AND due_at BETWEEN range.bound AND now()
                  AND (lease_by IS NULL OR (lease_by <> ALL (CAST(:alive AS integer[])) AND {gone}))
                  AND id <> ALL (CAST(:in_hand AS bigint[]))
                  AND kind <> ALL (CAST(:held_kinds AS text[]))
             ORDER BY due_at, id
                LIMIT :number
                  FOR UPDATE SKIP LOCKED) AS one
         LIMIT :number
    ), fitting AS (
        SELECT c.id, c.lost_by, c.place, sum(octet_length(b.content)) OVER (ORDER BY c.place) AS bytes
          FROM chosen c
          JOIN mail_bodies b ON b.id = c.body_id
    )
    UPDATE outbox m
       SET lease_by = :me, first_try_at = coalesce(first_try_at, clock_timestamp())
      FROM fitting, mail_bodies b
     WHERE m.id = fitting.id AND b.id = m.body_id
       AND (fitting.bytes <= :bytes OR (fitting.place = 1 AND :desk_is_empty))
 RETURNING m.id, m.message_id, m.kind, m.priority, m.sender, m.recipient, m.head || b.content AS raw,
           m.attempts, m.crashes, m.when_unsure, m.request_id, m.due_at, fitting.lost_by,
           CAST(extract(epoch FROM m.expires_at - clock_timestamp()) AS float) AS seconds_left,
           EXISTS (SELECT FROM mail_suppressions s
                    WHERE s.address = lower(m.recipient) AND s.scope IN ('*', m.kind)) AS suppressed,
           CASE WHEN m.attempts = 0 THEN 0 ELSE
               (SELECT count(*) FROM mail_attempts a WHERE a.mail_id = m.id AND a.scope = 'unsure')
           END AS unsure_tries,
           CASE WHEN m.attempts = 0 THEN 0 ELSE
               (SELECT count(*) FROM mail_attempts a WHERE a.mail_id = m.id AND a.scope = 'bug')
           END AS bugs
"""
FRESH, RETRY = "= 0", "> 0"  # the two lanes
# Asked of each mail in hands that nobody has seen at work lately: a mailer may have come since. The locks
# are as they are now. A frozen mailer has its lock still, so who saw it frozen says so.
GONE = """
    (lease_by = ANY (CAST(:frozen AS integer[]))
     OR NOT EXISTS (SELECT FROM pg_locks l
                     WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
                       AND l.classid = CAST(:locks AS oid) AND l.objid = CAST(lease_by AS oid)
                       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))
"""

# It did leave, so no lease is asked for. A database that was restored meanwhile may have another mail
# under this number; hence the Message-ID. What stood in the way before no longer matters.
SENT = """
    UPDATE outbox m
       SET state = 'sent', done_at = clock_timestamp(), lease_by = NULL,
           last_code = one.code, last_error = NULL, reply = one.reply
      FROM unnest(CAST(:ids AS bigint[]), CAST(:message_ids AS text[]), CAST(:codes AS smallint[]),
                  CAST(:replies AS text[])) AS one (id, message_id, code, reply)
     WHERE m.id = one.id AND m.message_id = one.message_id AND m.state <> 'sent'
"""
# The others hold only while the mail is ours: another mailer may have had it since.
OURS = " WHERE id = :id AND message_id = :message_id AND state = 'queued' AND lease_by = :lease_by"
RELEASE = "UPDATE outbox SET lease_by = NULL"
DEFER = """
    UPDATE outbox
       SET due_at = clock_timestamp() + :delay, attempts = attempts + 1, lease_by = NULL,
           last_code = :code, last_error = :reason
"""
CLOSE = """
    UPDATE outbox
       SET state = :state, done_at = clock_timestamp(), attempts = attempts + :charged, lease_by = NULL,
           last_code = :code, last_error = :reason
"""
CRASHED = "UPDATE outbox SET crashes = :crashes"
ATTEMPT = """
    INSERT INTO mail_attempts (mail_id, mailer, stage, scope, code, reason, milliseconds)
    SELECT id, :lease_by, :stage, :scope, :code, :reason, :milliseconds FROM outbox
     WHERE id = :id AND message_id = :message_id
"""
SUPPRESS = """
    INSERT INTO mail_suppressions (address, scope, reason) VALUES (lower(:address), '*', :reason)
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one recipient, finished, and ours while mailer `lease_by` lives.

    From `too_late_at` on, by the clock of `mailer.delivery.clock`, it is of no use to anybody.
    """

    id: int
    message_id: str
    kind: str
    priority: int
    sender: str
    recipient: str
    raw: bytes
    attempts: int
    crashes: int
    when_unsure: str
    request_id: str | None
    due_at: datetime
    lost_by: int | None
    suppressed: bool
    unsure_tries: int
    bugs: int
    too_late_at: float | None
    lease_by: int

    @property
    def domain(self) -> str:
        """Return the part of the recipient that may stand in a log."""
        return self.recipient.rpartition("@")[2]

    @property
    def key(self) -> dict[str, object]:
        """Return what tells this claim of this mail from all others."""
        return {"id": self.id, "message_id": self.message_id, "lease_by": self.lease_by}

    def is_too_late(self, moment: float) -> bool:
        """Say whether it is of no use any more."""
        return self.too_late_at is not None and moment >= self.too_late_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Who looks for mail, and which mail will do.

    `alive` are the mailers seen at work lately, `frozen` those that hold their lock and do nothing.
    `bounds` says for each priority that may pass from when on to look, `bytes` how much there is
    room for.
    """

    me: int
    alive: Collection[int]
    frozen: Collection[int]
    in_hand: Collection[int]
    held_kinds: Collection[str]
    bounds: Mapping[int, datetime]
    bytes: int

    @property
    def values(self) -> dict[str, object]:
        """Return the statement's values."""
        return {
            "me": self.me,
            "locks": MAILER_LOCKS,
            "priorities": list(self.bounds.keys()),
            "bounds": list(self.bounds.values()),
            "alive": list(self.alive),
            "frozen": list(self.frozen),
            "in_hand": list(self.in_hand),
            "desk_is_empty": not self.in_hand,
            "held_kinds": list(self.held_kinds),
            "bytes": self.bytes,
        }


def claim(connection: Connection, lane: str, look: Look, number: int) -> list[Mail]:
    """Take up to so many mails that are due, first things first."""
    statement = text(CLAIM.format(lane=lane, gone=GONE))
    rows = connection.execute(statement, look.values | {"number": number})
    moment = now()
    mails = [read(row._asdict(), look.me, moment) for row in rows]
    return sorted(mails, key=lambda mail: (mail.priority, mail.due_at, mail.id))


def read(row: dict[str, Any], me: int, moment: float) -> Mail:
    """Return the mail of a row that was read at this moment."""
    left = row.pop("seconds_left")
    too_late_at = None if left is None else moment + left
    return Mail(**{**row, "raw": bytes(row["raw"]), "too_late_at": too_late_at, "lease_by": me})


def mark_sent(connection: Connection, sent: Sequence[tuple[Mail, int, str]]) -> None:
    """Record which mails the relay took, with the code and words of its consent; safe to repeat."""
    if not sent:
        return
    values = {
        "ids": [mail.id for mail, _, _ in sent],
        "message_ids": [mail.message_id for mail, _, _ in sent],
        "codes": [code for _, code, _ in sent],
        "replies": [reply[:LONGEST_ERROR] for _, _, reply in sent],
    }
    connection.execute(text(SENT), values)


def release(connection: Connection, mail: Mail) -> None:
    """Give it back as it was: nothing is charged to it."""
    connection.execute(text(RELEASE + OURS), mail.key)


def defer(
    connection: Connection, mail: Mail, delay: timedelta, reason: str, code: int | None
) -> None:
    """Record one more failure, and when to try again."""
    values = {"delay": delay, "reason": reason[:LONGEST_ERROR], "code": code}
    connection.execute(text(DEFER + OURS), mail.key | values)


def close(  # noqa: PLR0913 what is recorded, each a column
    connection: Connection,
    mail: Mail,
    state: str,
    reason: str,
    code: int | None = None,
    *,
    charged: bool = False,
) -> None:
    """Record that no further try is made by itself, and why; `charged` where one was made."""
    values = {
        "state": state,
        "reason": reason[:LONGEST_ERROR],
        "code": code,
        "charged": int(charged),
    }
    connection.execute(text(CLOSE + OURS), mail.key | values)


def count_crash(connection: Connection, mail: Mail, crashes: int) -> None:
    """Record how many mailers died with this mail in hand."""
    connection.execute(text(CRASHED + OURS), mail.key | {"crashes": crashes})


def note_attempt(
    connection: Connection, mail: Mail, attempt: Mapping[str, object], milliseconds: int
) -> None:
    """Record a try that failed: its stage, scope, code and reason."""
    values = {**attempt, "milliseconds": milliseconds}
    connection.execute(text(ATTEMPT), mail.key | values)


def suppress(connection: Connection, mail: Mail, reason: str) -> None:
    """Send nothing more to an address that does not exist."""
    values = {"address": mail.recipient, "reason": reason[:LONGEST_ERROR]}
    connection.execute(text(SUPPRESS), values)
