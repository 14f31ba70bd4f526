"""Who has an account, and who is invited, as operators see them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from web.accounts.tokens import Purpose
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
) -> Sequence[AccountToken]:
    """Return the invitations that can be accepted, the newest first."""
    statement = (
        select(AccountToken)
        .where(AccountToken.purpose == Purpose.INVITE, AccountToken.used_at.is_(None))
        .where(AccountToken.expires_at > now)
        .order_by(AccountToken.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(AccountToken.id < before)
    return session.scalars(statement).all()


def withdraw(session: Session, invitation_id: int, now: datetime) -> str | None:
    """Let the invitation work no more, and return whose it was; None where it was not open."""
    return session.scalar(
        update(AccountToken)
        .where(AccountToken.id == invitation_id, AccountToken.purpose == Purpose.INVITE)
        .where(AccountToken.used_at.is_(None))
        .values(used_at=now)
        .returning(AccountToken.email)
    )
