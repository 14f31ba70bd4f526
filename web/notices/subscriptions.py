"""Subscriptions to notices: the links that confirm them, and their end."""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import datetime
from enum import Enum

from sqlalchemy import case, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from common.schema import mail_suppressions
from web.mail.kinds import LINK_LIFETIME, NOTICE
from web.mail.mail import Reader
from web.models import CONFIRMED, PENDING, UNSUBSCRIBED, Subscriber
from web.notices.unsubscribe_links import WayOut

TOKEN_BYTES = 32
EVERY_KIND = "*"  # scope of an address that gets no mail at all


class Link(Enum):
    """What a confirmation link is worth."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


def request(session: Session, email: str, now: datetime) -> str | None:
    """Return the token for a new link, or None for someone who has confirmed already.

    One statement, so that two requests at once can't make two rows; the newest link alone works.
    The database keeps only the token's hash: who reads it can't confirm for others.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    pending = {
        "email": email,
        "token_hash": hash_token(token),
        "token_expires_at": now + LINK_LIFETIME,
        "state": PENDING,
    }
    statement = insert(Subscriber).values(pending)
    statement = statement.on_conflict_do_update(
        index_elements=[func.lower(Subscriber.email)],
        set_=pending,
        where=Subscriber.state != CONFIRMED,
    )
    stored = session.scalar(statement.returning(Subscriber.id))
    return None if stored is None else token


def look_up(session: Session, token: str, now: datetime) -> Link:
    """Return what the link with this token is worth; changes nothing."""
    statement = select(Subscriber).where(Subscriber.token_hash == hash_token(token))
    subscriber = session.scalar(statement)
    if subscriber is None:
        return Link.UNKNOWN
    if subscriber.state == CONFIRMED:
        return Link.USED
    is_open = subscriber.state == PENDING and now < subscriber.token_expires_at
    return Link.OPEN if is_open else Link.EXPIRED


def confirm(session: Session, token: str, now: datetime) -> Link:
    """Confirm the subscription and return OPEN, or return why the link is not worth it.

    Who comes back gets notices again; an address that does not exist stays suppressed.
    """
    statement = (
        update(Subscriber)
        .where(Subscriber.token_hash == hash_token(token))
        .where(Subscriber.state == PENDING, Subscriber.token_expires_at > now)
        .values(state=CONFIRMED, confirmed_at=now)
        .returning(Subscriber.email)
    )
    email = session.scalar(statement)
    if email is None:
        return look_up(session, token, now)
    columns = mail_suppressions.c
    mine = (columns.address == email.lower()) & (columns.scope == NOTICE.name)
    session.execute(delete(mail_suppressions).where(mine))
    return Link.OPEN


def readers(session: Session) -> Iterator[Reader]:
    """Yield everyone who gets notices."""
    confirmed = select(Subscriber.id, Subscriber.email).where(Subscriber.state == CONFIRMED)
    for subscriber, email in session.execute(confirmed.order_by(Subscriber.id)):
        yield Reader(subscriber, email)


def count(session: Session) -> int:
    """Return how many of them a notice would be mailed to now."""
    columns = mail_suppressions.c
    suppressed = (columns.address == func.lower(Subscriber.email)) & columns.scope.in_(
        [NOTICE.name, EVERY_KIND]
    )
    statement = select(func.count()).where(
        Subscriber.state == CONFIRMED, ~exists().where(suppressed)
    )
    return session.scalar(statement) or 0


def end(session: Session, way_out: WayOut) -> None:
    """Send that reader no more mail of that kind; safe to repeat, and for someone who is gone.

    Who asked anew and has not confirmed yet stays pending: the newer link still works.
    """
    leaves = (Subscriber.state == CONFIRMED) & (way_out.kind == NOTICE.name)
    statement = (
        update(Subscriber)
        .where(Subscriber.id == way_out.subscriber)
        .values(state=case((leaves, UNSUBSCRIBED), else_=Subscriber.state))
        .returning(Subscriber.email)
    )
    email = session.scalar(statement)
    if email is not None:
        suppressed = {"address": email.lower(), "scope": way_out.kind, "reason": UNSUBSCRIBED}
        session.execute(insert(mail_suppressions).values(suppressed).on_conflict_do_nothing())


def hash_token(token: str) -> bytes:
    """Return what the database knows of a token; it is long and random, so it needs no salt."""
    return hashlib.sha256(token.encode()).digest()
