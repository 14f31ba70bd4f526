"""The link that makes the first operator: shown in the log and by a command until it was used."""

import hashlib
import hmac
from datetime import datetime

from flask import current_app
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from web.accounts import accounts, tokens
from web.accounts.tokens import LIFETIMES, Fault, LinkError, Purpose
from web.models import OPERATOR, AccountToken

LOCK = 0x6669727374  # any number, the same for all: several webs start at once
PATH = "/account/first-operator"


def link(session: Session, now: datetime) -> str | None:
    """Return the link, or None where there is an operator; a new one once the last has expired.

    The same as long as it works, so that every process shows the same one; the caller commits.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if accounts.has_operator(session):
        return None
    row = session.scalar(
        select(AccountToken)
        .where(AccountToken.purpose == Purpose.OPERATOR, AccountToken.used_at.is_(None))
        .where(AccountToken.expires_at > now)
    )
    token = token_of(row or make(session, now))
    return f"{current_app.config['BASE_URL']}{PATH}/{token}"


def find(session: Session, token: str, now: datetime) -> None:
    """Raise LinkError unless the link with this token works."""
    tokens.find(session, Purpose.OPERATOR, token, now)
    if accounts.has_operator(session):
        raise LinkError(Purpose.OPERATOR, Fault.USED)


def use(session: Session, token: str, now: datetime) -> None:
    """Use the link up, or raise LinkError; of two who use it at once, one gets it."""
    tokens.use(session, Purpose.OPERATOR, token, now)
    if accounts.has_operator(session):
        raise LinkError(Purpose.OPERATOR, Fault.USED)


def make(session: Session, now: datetime) -> AccountToken:
    """Return a new row; its token follows from it, so it is known again later."""
    row = AccountToken(
        purpose=Purpose.OPERATOR,
        token_hash=b"",
        email="",
        role=OPERATOR,
        created_at=now,
        expires_at=now + LIFETIMES[Purpose.OPERATOR],
    )
    session.add(row)
    session.flush()
    row.token_hash = tokens.hash_token(token_of(row))
    session.flush()
    return row


def token_of(row: AccountToken) -> str:
    """Return the row's token: who has the database, or a backup, lacks the key to make it."""
    what = f"first operator {row.id} {row.created_at.timestamp()}".encode()
    key = (current_app.secret_key or "").encode()  # type: ignore[union-attr] # ours is a string
    return hmac.new(key, what, hashlib.sha256).hexdigest()
