"""Putting mail into the outbox, in the transaction of whoever sends it."""

import re

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.orm import Session

from common.schema import outbox

CHANNEL = "outbox"
LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
# SMTPUTF8 is not ours: an address outside of ASCII is one that many servers refuse.
_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")  # printable, no space, no angle bracket, one @


class BadAddressError(ValueError):
    """Not an address that mail can be sent to; nothing was queued."""


def enqueue(  # noqa: PLR0913 each is a column, and keyword-only
    transaction: Connection | Session,
    *,
    kind: str,
    sender: str,
    recipient: str,
    subject: str,
    message_id: str,
    raw: bytes,
    request_id: str | None = None,
) -> None:
    """Queue one finished mail for one recipient; it exists when, and only when, the caller commits.

    The mailer is woken by the same commit. Raises BadAddressError for an address that SMTP can't take.
    """
    for address in (sender, recipient):
        if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
            message = f"not an address that mail can be sent to: {address[:80]!r}"
            raise BadAddressError(message)
    values = {
        "kind": kind,
        "sender": sender,
        "recipient": recipient,
        "subject": subject,
        "message_id": message_id,
        "raw": raw,
        "request_id": request_id,
    }
    transaction.execute(insert(outbox).values(values))
    transaction.execute(select(func.pg_notify(CHANNEL, "")))
