"""Who has an account, and who is invited, as operators see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from web.accounts.tokens import STILL_MEANT, Purpose
from web.models import Account, AccountToken


def people(
    session: Session, *, search: str, limit: int, before: int | None = None
) -> Sequence[Account]:
    """Return accounts whose address has `search` in it, the newest first."""
    statement = select(Account).order_by(Account.id.desc()).limit(limit)
    if search:
        statement = statement.where(Account.email.icontains(search, autoescape=True))
    if before is not None:
        statement = statement.where(Account.id < before)
    return session.scalars(statement).all()


def invitations(
    session: Session, now: datetime, *, limit: int, before: int | None = None
) -> Sequence[Row[Any]]:
    """Return the invitations that can be accepted, and who sent each, the newest first."""
    token = AccountToken
    statement = (
        select(token.id, token.email, token.role, token.created_at, token.expires_at)
        .add_columns(Account.email.label("invited_by"))
        .outerjoin(Account, Account.id == token.invited_by)
        .where(token.purpose == Purpose.INVITE, token.used_at.is_(None))
        .where(token.expires_at > now, STILL_MEANT)
        .order_by(AccountToken.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(AccountToken.id < before)
    return session.execute(statement).all()


def withdraw(session: Session, invitation_id: int, now: datetime) -> str | None:
    """Let the invitation work no more, and return whose it was; None where it was not open."""
    return session.scalar(
        update(AccountToken)
        .where(AccountToken.id == invitation_id, AccountToken.purpose == Purpose.INVITE)
        .where(AccountToken.used_at.is_(None))
        .values(used_at=now)
        .returning(AccountToken.email)
    )
