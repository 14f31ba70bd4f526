"""A mail that was sent, sent once more: a new mail with a Message-ID and a date of its own.

With the old Message-ID many servers would throw the second one away unseen. It has no dedupe key: that is
the application's promise to send one, and an operator's word stands above it.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, make_msgid

from sqlalchemy import Connection, text

from common.outbox import HOLD, Handling, Letter, enqueue

SENT = text("""
    SELECT m.state, m.kind, m.priority, m.sender, m.recipient, m.subject, m.when_unsure, m.request_id,
           m.expires_at, m.head || b.content AS raw,
           EXISTS (SELECT FROM mail_suppressions s
                    WHERE s.address = lower(m.recipient) AND s.scope IN ('*', m.kind)) AS is_suppressed
      FROM outbox m LEFT JOIN mail_bodies b ON b.id = m.body_id
     WHERE m.id = :id
""")
NUMBER = text("SELECT id FROM outbox WHERE message_id = :message_id AND recipient = :recipient")
END_OF_HEADERS = b"\r\n\r\n"


class NotAgainError(Exception):
    """This mail is not to be sent once more; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What is known of a mail that is to go once more."""

    state: str
    kind: str
    priority: int
    sender: str
    recipient: str
    subject: str
    when_unsure: str
    request_id: str | None
    expires_at: datetime | None
    raw: bytes | None
    is_suppressed: bool


def queue_copy(transaction: Connection, number: int, now: datetime) -> int:
    """Queue it once more, and return the number of the new mail; raises NotAgainError."""
    row = transaction.execute(SENT, {"id": number}).mappings().one_or_none()
    if row is None:
        message = f"there is no mail {number}"
        raise NotAgainError(message)
    mail = Sent(**row)
    if why := obstacle(mail, now):
        raise NotAgainError(why)
    message_id = make_msgid("again", mail.sender.rpartition("@")[2])
    handling = Handling(
        kind=mail.kind,
        priority=mail.priority,
        expires_at=mail.expires_at,
        when_unsure=mail.when_unsure,
        request_id=mail.request_id,
    )
    enqueue(
        transaction,
        handling,
        sender=mail.sender,
        subject=mail.subject,
        content=renewed(bytes(mail.raw or b""), message_id, now),
        letters=[Letter(mail.recipient, message_id)],
    )
    values = {"message_id": message_id, "recipient": mail.recipient}
    return int(transaction.execute(NUMBER, values).scalar_one())


def obstacle(mail: Sent, now: datetime) -> str | None:
    """Return why it is not to go once more, or None."""
    if mail.state != "sent":
        return (
            f"it is {mail.state}, and was not sent as far as is known; retry sends the mail itself"
        )
    if mail.when_unsure == HOLD:
        return f"a second mail of kind {mail.kind} does harm: it is one that must not arrive twice"
    if mail.raw is None:
        return "its content was removed: it had expired, or is some days old"
    if mail.expires_at is not None and mail.expires_at <= now:
        return "it has expired: what it says, or its link, is worth nothing any more"
    if mail.is_suppressed:
        return "its address gets no more mail; let mail through to it first"
    return None


def renewed(raw: bytes, message_id: str, now: datetime) -> bytes:
    """Return the mail with another Message-ID and date, and else as it was."""
    head, separator, rest = raw.partition(END_OF_HEADERS)
    head += b"\r\n"
    for name, value in (("Message-ID", message_id), ("Date", format_datetime(now))):
        line = re.compile(
            rb"^%s:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*" % name.encode(), re.IGNORECASE | re.MULTILINE
        )
        head = f"{name}: {value}\r\n".encode("ascii") + line.sub(b"", head)
    return head + separator[2:] + rest
