"""The outbox as the mailer uses it: one mail, and what came of it. How it is claimed stands in `claims`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

LONGEST_ERROR = 500

# It did leave, so no lease is asked for. A database that was restored meanwhile may have another mail
# under this number; hence the Message-ID. What stood in the way before no longer matters.
SENT = text("""
    UPDATE outbox m
       SET state = 'sent', done_at = clock_timestamp(), lease_by = NULL,
           last_code = one.code, last_error = NULL, reply = one.reply
      FROM unnest(CAST(:ids AS bigint[]), CAST(:message_ids AS text[]), CAST(:codes AS smallint[]),
                  CAST(:replies AS text[])) AS one (id, message_id, code, reply)
     WHERE m.id = one.id AND m.message_id = one.message_id AND m.state <> 'sent'
""")
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
     WHERE id = :id AND message_id = :message_id AND lease_by = :lease_by
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
    connection.execute(SENT, values)


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
