"""Mail, finished here and handed to the outbox; the mailer sends it.

Flask-Mail's Message says what to send. It is written out once, here: every try sends the same bytes,
and what can't be written fails where its sender still hears of it (decision 7).
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

from flask import current_app, g, render_template
from flask_mail import Message
from sqlalchemy.orm import Session

from common.outbox import BadMailError, Handling, Letter, enqueue
from web.mail import headers as mail_headers
from web.mail import mime
from web.mail.headers import line
from web.mail.kinds import Kind
from web.notices.unsubscribe_links import Links, WayOut

NO_ANSWERS_PLEASE = {"Auto-Submitted": "auto-generated"}  # RFC 3834: keeps holiday notices away


@dataclass(frozen=True, slots=True)
class Reader:
    """One of many who get the same mail, and who can unsubscribe from it."""

    subscriber: int
    address: str


class Terms(TypedDict, total=False):
    """What holds for one mail alone; its kind says the rest.

    Of mails with one `dedupe_key`, each recipient gets one. It is sent at `send_after` or later,
    and not from `expires_at` on; without that, it lives as long as its kind does.
    """

    dedupe_key: str
    send_after: datetime
    expires_at: datetime


def write(kind: Kind, subject: str, *recipients: str, **context: object) -> Message:
    """Return the mail of the templates mail/<kind>.txt and .html."""
    return Message(
        subject,
        recipients=list(recipients),
        body=render_template(f"mail/{kind.name}.txt", **context),
        html=render_template(f"mail/{kind.name}.html", subject=subject, **context),
        extra_headers=NO_ANSWERS_PLEASE,
    )


def queue(
    session: Session, message: Message, kind: Kind, *, now: datetime, **terms: Unpack[Terms]
) -> int:
    """Queue the mail for each of its recipients, in the caller's transaction; return for how many.

    All get the same bytes, which name nobody of `bcc`; the id in them becomes the message's. Raises
    BadMailError, which names the header, for what can't be sent; then nothing is queued.
    """
    if kind.bulk:
        problem = f"{kind.name} is bulk mail, whose readers can unsubscribe; use queue_each"
        raise BadMailError(problem)
    message.msgId = next(new_ids())
    letters = [Letter(address, message.msgId) for address in recipients(message)]
    people = mime.to_whom(message) + line("Message-ID", message.msgId)
    content = people.encode("ascii") + mime.content(message, now)
    return put(session, message, content, letters, handling(kind, now, terms))


def queue_each(
    session: Session,
    message: Message,
    kind: Kind,
    readers: Iterable[Reader],
    *,
    now: datetime,
    **terms: Unpack[Terms],
) -> int:
    """Queue the mail for each reader alone, with an id and a link to unsubscribe of their own.

    Otherwise as `queue`. The content is stored once for all; those who get no more mail of this
    kind are left out.
    """
    if not kind.bulk:
        problem = f"{kind.name} is not bulk mail, nobody can unsubscribe from it; use queue"
        raise BadMailError(problem)
    if message.send_to:
        raise BadMailError("the message has recipients; leave them out, each reader is one")
    links = Links()
    letters = [
        letter(reader, message_id, links.url(WayOut(reader.subscriber, kind.name)))
        for reader, message_id in zip(readers, new_ids(), strict=False)  # the ids have no end
    ]
    content = mime.content(message, now)
    return put(session, message, content, letters, handling(kind, now, terms))


def put(
    session: Session,
    message: Message,
    content: bytes,
    letters: Sequence[Letter],
    handling: Handling,
) -> int:
    """Hand the finished mail to the outbox."""
    return enqueue(
        session,
        handling,
        sender=mail_headers.split("From", message.sender)[1],
        subject=message.subject or "",
        content=content,
        letters=letters,
    )


def handling(kind: Kind, now: datetime, terms: Terms) -> Handling:
    """Return how to treat a mail of this kind, on these terms."""
    send_after, expires_at = terms.get("send_after"), terms.get("expires_at")
    if expires_at is None and kind.lifetime is not None:
        expires_at = (send_after or now) + kind.lifetime
    return Handling(
        kind=kind.name,
        priority=kind.priority,
        send_after=send_after,
        expires_at=expires_at,
        dedupe_key=terms.get("dedupe_key"),
        when_unsure=kind.when_unsure,
        skip_suppressed=kind.bulk,
        request_id=g.get("request_id"),
    )


def recipients(message: Message) -> list[str]:
    """Return every address once, or raise BadMailError where there is none."""
    given = {"To": message.recipients, "Cc": message.cc, "Bcc": message.bcc}
    found: dict[str, str] = {}
    for name, some in given.items():
        for one in some:
            address = mail_headers.split(name, one)[1]
            found.setdefault(address.lower(), address)
    if not found:
        raise BadMailError("the message has no recipients; give it recipients, cc or bcc")
    return list(found.values())


def letter(reader: Reader, message_id: str, way_out: str) -> Letter:
    """Return what is one reader's own; mail programs show the link as a button (RFC 8058)."""
    head = (
        line("To", reader.address)
        + line("Message-ID", message_id)
        + line("List-Unsubscribe", f"<{way_out}>")
        + line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    )
    return Letter(reader.address, message_id, head.encode("ascii", "replace"))


def new_ids() -> Iterator[str]:
    """Yield Message-IDs that nobody else makes, in an order that the database's index likes."""
    name, host, number = secrets.token_hex(12), current_app.config["HOST"], 0
    while True:
        number += 1
        yield f"<{name}.{number}@{host}>"
