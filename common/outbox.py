"""Putting mail into the outbox, in the transaction of whoever sends it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

CHANNEL = "outbox"
URGENT, NORMAL, BULK = 1, 5, 9
LAST_URGENT = 2  # the priorities down to this one are urgent
RESEND, HOLD = "resend", "hold"  # what to do with a mail of which nobody knows whether it arrived
LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
LONGEST_LINE = 998  # RFC 5322, 2.1.1
LETTERS_AT_ONCE = 5_000
# Bytes as they are sent, of which attachments fill three quarters. Gmail takes more (SIZE 35882577), but a
# mail needs five times its size of the mailer's memory while it is claimed, and eight times of web's.
LARGEST_CONTENT = 25_000_000
# SMTPUTF8 is not ours: an address outside of ASCII is one that many servers refuse. Nor are quoted
# names: "a,b@example.org" is one recipient to SMTP, but two in a header.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@([A-Za-z0-9._-]+|\[[A-Za-z0-9.:-]+\])")
_HEAD = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*")

# One statement, so that it costs the caller one round trip: content, rows and wake-up together.
# A content without rows is not written: all of them were there before, under the same dedupe key.
ENQUEUE = text("""
    WITH letter AS (
        SELECT *
          FROM unnest(CAST(:recipients AS text[]), CAST(:message_ids AS text[]), CAST(:heads AS bytea[]))
               AS letter (recipient, message_id, head)
         WHERE NOT EXISTS (SELECT FROM outbox o
                            WHERE o.dedupe_key = :dedupe_key AND o.recipient = letter.recipient
                              AND o.state IN ('queued', 'sent', 'unsure'))
           AND NOT (:skip_suppressed AND EXISTS (
                       SELECT FROM mail_suppressions s
                        WHERE s.address = lower(letter.recipient) AND s.scope IN (:kind, '*')))
    ), body AS (
        INSERT INTO mail_bodies (content)
        SELECT :content WHERE CAST(:body_id AS bigint) IS NULL AND EXISTS (SELECT FROM letter)
        RETURNING id
    ), queued AS (
        INSERT INTO outbox (kind, priority, sender, recipient, subject, message_id, head, body_id,
                            dedupe_key, when_unsure, request_id, due_at, expires_at)
        SELECT :kind, :priority, :sender, recipient, :subject, message_id, head,
               coalesce(:body_id, (SELECT id FROM body)),
               :dedupe_key, :when_unsure, :request_id,
               coalesce(:due_at, clock_timestamp()), :expires_at
          FROM letter
            ON CONFLICT (dedupe_key, recipient)
               WHERE dedupe_key IS NOT NULL AND state IN ('queued', 'sent', 'unsure') DO NOTHING
        RETURNING body_id
    )
    SELECT count(*) AS mails, max(body_id) AS body_id, pg_notify(:channel, '') FROM queued
""")


class BadMailError(ValueError):
    """Not a mail that can be sent; nothing was queued."""


class BadAddressError(BadMailError):
    """Not an address that mail can be sent to; nothing was queued."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is one recipient's own: the address, the Message-ID, and the headers that name them.

    `head` is finished header lines, each with its CRLF; they come before the content. It holds the
    Message-ID too, unless the content does.
    """

    recipient: str
    message_id: str
    head: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """How a mail is to be treated.

    `priority` is 1 (first) to 9 (last). It is not sent before `send_after`, nor from `expires_at`
    on. Of mails with one `dedupe_key`, a recipient gets one. `when_unsure` is RESEND or HOLD. With
    `skip_suppressed`, an address that gets no more mail is left out; else its mail is queued, and
    the mailer closes it, so that it can be seen that there was one.
    """

    kind: str
    priority: int = NORMAL
    send_after: datetime | None = None
    expires_at: datetime | None = None
    dedupe_key: str | None = None
    when_unsure: str = RESEND
    skip_suppressed: bool = False
    request_id: str | None = None


def enqueue(  # noqa: PLR0913 what is queued, and how, each by its name
    transaction: Connection | Session,
    handling: Handling,
    *,
    sender: str,
    subject: str,
    content: bytes,
    letters: Sequence[Letter],
) -> int:
    """Queue one finished mail for each letter, and return how many that were.

    Fewer than the letters, where `handling` leaves some out as known already or suppressed.

    `content` is the rest of the RFC 5322 message, the same for all, and stored once. The mails
    exist when, and only when, the caller commits; the mailer is woken by the same commit. Raises
    BadMailError for what SMTP can't take, before anything is written.
    """
    check(sender, content, letters)
    values: dict[str, object] = {
        "kind": handling.kind,
        "priority": handling.priority,
        "sender": sender,
        "subject": subject,
        "content": content,
        "dedupe_key": handling.dedupe_key,
        "when_unsure": handling.when_unsure,
        "skip_suppressed": handling.skip_suppressed,
        "request_id": handling.request_id,
        "due_at": handling.send_after,
        "expires_at": handling.expires_at,
        "channel": CHANNEL,
    }
    mails, body_id = 0, None
    for some in portions(letters):
        own = {
            "recipients": [letter.recipient for letter in some],
            "message_ids": [letter.message_id for letter in some],
            "heads": [letter.head for letter in some],
        }
        row = transaction.execute(ENQUEUE, values | own | {"body_id": body_id}).one()
        mails, body_id = mails + row.mails, body_id or row.body_id
    return mails


def portions(letters: Sequence[Letter]) -> Iterator[Sequence[Letter]]:
    """Yield the letters in portions that one statement can take."""
    for start in range(0, len(letters), LETTERS_AT_ONCE):
        yield letters[start : start + LETTERS_AT_ONCE]


def check(sender: str, content: bytes, letters: Sequence[Letter]) -> None:
    """Raise BadMailError for what SMTP can't take, or what would become something else on its way."""
    if len(content) > LARGEST_CONTENT:
        message = (
            f"the content has {len(content)} bytes, and {LARGEST_CONTENT} are allowed (attachments grow "
            "by a third on their way); send a link to what is large"
        )
        raise BadMailError(message)
    for address in (sender, *(letter.recipient for letter in letters)):
        if not is_address(address):
            message = f"not an address that mail can be sent to: {address[:80]!r}"
            raise BadAddressError(message)
    for letter in letters:
        if not _HEAD.fullmatch(letter.head):
            message = f"not header lines: {letter.head[:80]!r} (a line break in a value?)"
            raise BadMailError(message)
        check_lines(letter.head, "head")
    check_lines(content, "content")


def check_lines(written: bytes, what: str) -> None:
    """Raise BadMailError for a line break that is not CRLF, or a line that is too long."""
    # Counting and splitting take milliseconds for 10 MB; an expression would take a second.
    if not written.count(b"\r\n") == written.count(b"\r") == written.count(b"\n"):
        message = f"a line break that is not CRLF in the {what}; write CRLF, or encode as base64"
        raise BadMailError(message)
    for number, line in enumerate(written.split(b"\r\n"), start=1):
        if len(line) > LONGEST_LINE:
            message = (
                f"line {number} of the {what} has {len(line)} bytes, and {LONGEST_LINE} are allowed; "
                "encode it as base64 or quoted-printable"
            )
            raise BadMailError(message)


def is_address(address: str) -> bool:
    """Return whether this is an address that SMTP takes, and that stands in a header as it is."""
    return len(address) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(address) is not None
