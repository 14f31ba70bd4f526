"""Subscriptions to notices, and the links that confirm them."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from web.models import CONFIRMED, PENDING, Subscriber

LINK_HOURS = 48
TOKEN_BYTES = 32


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
        "token_expires_at": now + timedelta(hours=LINK_HOURS),
    }
    statement = insert(Subscriber).values(pending)
    statement = statement.on_conflict_do_update(
        index_elements=[func.lower(Subscriber.email)],
        set_=pending,
        where=Subscriber.state == PENDING,
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
    return Link.OPEN if now < subscriber.token_expires_at else Link.EXPIRED


def confirm(session: Session, token: str, now: datetime) -> Link:
    """Confirm the subscription and return OPEN, or return why the link is not worth it."""
    statement = (
        update(Subscriber)
        .where(Subscriber.token_hash == hash_token(token))
        .where(Subscriber.state == PENDING, Subscriber.token_expires_at > now)
        .values(state=CONFIRMED, confirmed_at=now)
        .returning(Subscriber.id)
    )
    if session.scalar(statement) is not None:
        return Link.OPEN
    return look_up(session, token, now)


def hash_token(token: str) -> bytes:
    """Return what the database knows of a token; it is long and random, so it needs no salt."""
    return hashlib.sha256(token.encode()).digest()
