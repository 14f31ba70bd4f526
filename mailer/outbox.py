"""The outbox as the mailer uses it; all SQL of this service is here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

LEASE = timedelta(minutes=10)  # longer than the slowest honest delivery
LONGEST_ERROR = 500

CLAIM = """
    UPDATE outbox
       SET due_at = now() + :lease  -- if we crash, it falls due again
     WHERE id = (SELECT id
                   FROM outbox
                  WHERE state = 'queued' AND due_at <= now()
               ORDER BY due_at, id
                  LIMIT 1
             FOR UPDATE SKIP LOCKED)
 RETURNING id, message_id, kind, sender, recipient, raw, attempts, request_id, due_at AS leased_until
"""
OLDEST_DUE = "SELECT min(due_at) FROM outbox WHERE state = 'queued' AND due_at <= now()"

# A database that was restored meanwhile may have another mail under this id; hence the Message-ID.
# It did leave, so no lease is asked for. What stood in the way before no longer matters.
SENT = """
    UPDATE outbox SET state = 'sent', sent_at = now(), last_error = NULL
     WHERE id = :id AND message_id = :message_id AND state <> 'sent'
"""
# The others hold only while the lease is ours: another mailer may have had the mail since.
REFUSE = """
    UPDATE outbox SET state = 'refused', attempts = attempts + 1, last_error = :reason
     WHERE id = :id AND message_id = :message_id AND state = 'queued' AND due_at = :leased_until
"""
DEFER = """
    UPDATE outbox SET due_at = now() + :delay, attempts = attempts + 1, last_error = :reason
     WHERE id = :id AND message_id = :message_id AND state = 'queued' AND due_at = :leased_until
"""
# Due now, and so behind what was due before: if it is this mail after all, the others still go.
RELEASE = """
    UPDATE outbox SET due_at = now()
     WHERE id = :id AND message_id = :message_id AND state = 'queued' AND due_at = :leased_until
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one recipient, finished, and ours until the lease ends."""

    id: int
    message_id: str
    kind: str
    sender: str
    recipient: str
    raw: bytes
    attempts: int
    request_id: str | None
    leased_until: datetime

    @property
    def domain(self) -> str:
        """Return the part of the recipient that may stand in a log."""
        return self.recipient.rpartition("@")[2]


class Outbox:
    """The mail that waits. Each call is one transaction; all may raise SQLAlchemy's DBAPIError."""

    def __init__(self, engine: Engine, lease: timedelta = LEASE) -> None:
        self._engine = engine
        self._lease = lease

    def oldest_due(self) -> datetime | None:
        """Return since when the first in the queue is due, or None if nothing is."""
        with self._engine.begin() as transaction:
            due: datetime | None = transaction.execute(text(OLDEST_DUE)).scalar_one()
        return due

    def claim(self) -> Mail | None:
        """Return the mail that is due first, which no other mailer gets now, or None."""
        with self._engine.begin() as transaction:
            row = transaction.execute(text(CLAIM), {"lease": self._lease}).one_or_none()
        return Mail(**{**row._asdict(), "raw": bytes(row.raw)}) if row else None

    def mark_sent(self, mail: Mail) -> None:
        """Record that the relay took it; safe to repeat."""
        self._settle(SENT, mail)

    def refuse(self, mail: Mail, reason: str) -> None:
        """Record that no retry will help."""
        self._settle(REFUSE, mail, reason=reason[:LONGEST_ERROR])

    def defer(self, mail: Mail, delay: timedelta, reason: str) -> None:
        """Record one more failure, and when to try again."""
        self._settle(DEFER, mail, reason=reason[:LONGEST_ERROR], delay=delay)

    def release(self, mail: Mail) -> None:
        """Give it back as it was: nothing is charged to it."""
        self._settle(RELEASE, mail)

    def _settle(self, statement: str, mail: Mail, **values: object) -> None:
        known = {"id": mail.id, "message_id": mail.message_id, "leased_until": mail.leased_until}
        with self._engine.begin() as transaction:
            transaction.execute(text(statement), {**known, **values})
