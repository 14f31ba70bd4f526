"""Links that work once: mailed to prove an address, or printed for the first operator."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from sqlalchemy import ColumnElement, delete, exists, func, select, text, update
from sqlalchemy.orm import Session, aliased

from web.accounts import leftovers
from web.models import MEMBER, OPERATOR, Account, AccountToken

TOKEN_BYTES = 32
LOCKS = 0x6C696E6B  # any number that no other advisory lock has
KEPT_AFTER_END = timedelta(days=30)  # so that an old link is told from one that never was
# An invitation is worth something while who sent it is still an operator, and may sign in.
_sender = aliased(Account)
STILL_MEANT = AccountToken.invited_by.is_(None) | exists(
    select(_sender.id)
    .where(_sender.id == AccountToken.invited_by)
    .where(_sender.role == OPERATOR, _sender.locked_at.is_(None))
    .correlate(AccountToken)
)


class Purpose(StrEnum):
    """What a link is for."""

    SIGN_UP = "sign_up"
    INVITE = "invite"
    RESET = "reset"
    EMAIL_OLD = "email_old"
    EMAIL_NEW = "email_new"
    OPERATOR = "operator"


LIFETIMES = {
    Purpose.SIGN_UP: timedelta(hours=24),
    Purpose.INVITE: timedelta(days=7),
    Purpose.RESET: timedelta(hours=1),
    Purpose.EMAIL_OLD: timedelta(hours=24),
    Purpose.EMAIL_NEW: timedelta(hours=24),
    Purpose.OPERATOR: timedelta(hours=24),
}


class Fault(Enum):
    """Why a link does not work; one that a newer one replaced counts as used."""

    USED = "used"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class LinkError(Exception):
    """This link does not work (any more)."""

    def __init__(self, purpose: Purpose, fault: Fault) -> None:
        super().__init__(f"{purpose}: {fault.value}")
        self.purpose = purpose
        self.fault = fault


@dataclass(frozen=True, slots=True)
class LinkFor:
    """What a link does once it is used: for an account, or where there is none yet an address."""

    purpose: Purpose
    email: str
    account_id: int | None = None
    role: str = MEMBER
    invited_by: int | None = None


def make(session: Session, what: LinkFor, now: datetime) -> str:
    """Return the token of a new link; those that it replaces stop to work.

    Where it is for an account, that is locked already: a link takes hold of its account.
    """
    take_turns(session, what.email)
    close(session, what, now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = AccountToken(
        purpose=what.purpose,
        token_hash=hash_token(token),
        email=what.email,
        account_id=what.account_id,
        role=what.role,
        invited_by=what.invited_by,
        created_at=now,
        expires_at=now + LIFETIMES[what.purpose],
    )
    session.add(row)
    session.flush()
    leftovers.sweep(session, AccountToken, AccountToken.expires_at < now - KEPT_AFTER_END)
    return token


def take_turns(session: Session, email: str) -> None:
    """Wait for whoever else makes or uses links of this address, with an account or without."""
    lock = text("SELECT pg_advisory_xact_lock(:locks, hashtext(:email))")
    session.execute(lock, {"locks": LOCKS, "email": email.lower()})


def forget(session: Session, email: str) -> None:
    """Delete the links of an address that are for no account; an account takes its own along."""
    take_turns(session, email)
    its_own = AccountToken.account_id.is_(None) & (func.lower(AccountToken.email) == email.lower())
    session.execute(delete(AccountToken).where(its_own))


def forget_invitations_by(session: Session, account_id: int) -> None:
    """Delete the open invitations of an operator who leaves; nobody would know any more whose they were."""
    is_open = (AccountToken.invited_by == account_id) & AccountToken.used_at.is_(None)
    session.execute(delete(AccountToken).where(is_open))


def close(session: Session, what: LinkFor, now: datetime) -> None:
    """Let no open link for the same account, or where there is none the same address, work."""
    columns = AccountToken
    whose: ColumnElement[bool] = columns.account_id == what.account_id
    if what.account_id is None:
        whose = columns.account_id.is_(None) & (func.lower(columns.email) == what.email.lower())
    is_open = columns.used_at.is_(None) & (columns.expires_at > now)
    its_own = whose & (columns.purpose == what.purpose) & is_open
    session.execute(update(columns).where(its_own).values(used_at=now))


def find(session: Session, purpose: Purpose, token: str, now: datetime) -> AccountToken:
    """Return what the link stands for, or raise LinkError; changes nothing."""
    found = session.execute(
        select(AccountToken, STILL_MEANT)
        .where(AccountToken.token_hash == hash_token(token))
        .where(AccountToken.purpose == purpose)
        .execution_options(populate_existing=True)  # another request may have used it meanwhile
    ).one_or_none()
    if found is None:
        raise LinkError(purpose, Fault.UNKNOWN)
    row, is_meant = found
    if row.used_at is not None or not is_meant:
        raise LinkError(purpose, Fault.USED)
    if row.expires_at <= now:
        raise LinkError(purpose, Fault.EXPIRED)
    return row


def use(session: Session, purpose: Purpose, token: str, now: datetime) -> AccountToken:
    """Use the link up and return what it stands for, or raise LinkError.

    One statement: of two who use it at once, one gets it.
    """
    row = session.scalar(
        update(AccountToken)
        .where(AccountToken.token_hash == hash_token(token))
        .where(AccountToken.purpose == purpose)
        .where(AccountToken.used_at.is_(None), AccountToken.expires_at > now, STILL_MEANT)
        .values(used_at=now)
        .returning(AccountToken)
        .execution_options(synchronize_session=False)
    )
    return row or find(session, purpose, token, now)


def hash_token(token: str) -> bytes:
    """Return what the database knows of a token; it is long and random, so it needs no salt."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
