"""Who is signed in where: a row for each browser. The row decides, not the session that names it."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update
from sqlalchemy.orm import Session

from web.accounts import leftovers
from web.models import Account, SignIn

KEY_BYTES = 32
LONGEST_AGENT = 200  # characters of what a browser says of itself
TOUCH_EVERY = timedelta(minutes=5)

# Asked by every request of somebody who is signed in, so it is put together once: that takes
# longer than the answer. A sign-in of another epoch has been ended.
_sign_ins, _accounts = SignIn.__table__.c, Account.__table__.c
FIND = (
    select(
        _sign_ins.account_id,
        _accounts.email,
        _accounts.role,
        _sign_ins.id,
        _sign_ins.started_at,
        _sign_ins.seen_at,
    )
    .join_from(
        SignIn.__table__,
        Account.__table__,
        (_accounts.id == _sign_ins.account_id) & (_accounts.epoch == _sign_ins.epoch),
    )
    .where(_sign_ins.key_hash == bindparam("key_hash"), _sign_ins.expires_at > bindparam("now"))
    .where(_accounts.locked_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who is signed in, as this request found them."""

    account_id: int
    email: str
    role: str
    sign_in_id: int
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """Where somebody signs in from."""

    address: str
    agent: str


def begin(
    session: Session, account: Account, visit: Visit, now: datetime, lifetime: timedelta
) -> str:
    """Return the key of a new sign-in; it ends after `lifetime` whatever happens.

    Its epoch is the one that was read together with the password's hash: if the password was
    changed meanwhile, this sign-in counts for nothing.
    """
    key = secrets.token_urlsafe(KEY_BYTES)
    row = SignIn(
        account_id=account.id,
        key_hash=hash_key(key),
        epoch=account.epoch,
        started_at=now,
        seen_at=now,
        expires_at=now + lifetime,
        address=visit.address,
        agent=visit.agent[:LONGEST_AGENT],
    )
    session.add(row)
    session.flush()
    return key


def find(connection: Connection, key: str, now: datetime) -> SignedIn | None:
    """Return who is signed in with this key, or None where that has ended."""
    row = connection.execute(FIND, {"key_hash": hash_key(key), "now": now}).one_or_none()
    return None if row is None else SignedIn(*row)


def of_account(
    session: Session, account_id: int, now: datetime, *, limit: int, before: int | None = None
) -> Sequence[SignIn]:
    """Return where somebody is signed in, the newest first; `before` is the last id of a page."""
    statement = (
        select(SignIn)
        .join(Account, (Account.id == SignIn.account_id) & (Account.epoch == SignIn.epoch))
        .where(SignIn.account_id == account_id, SignIn.expires_at > now)
        .order_by(SignIn.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(SignIn.id < before)
    return session.scalars(statement).all()


def of_everybody(
    session: Session, now: datetime, *, limit: int, before: int | None = None
) -> Sequence[Row[Any]]:
    """Return who is signed in where, the newest first; `before` is the last id of a page."""
    mine, theirs = SignIn, Account
    statement = (
        select(mine.id, mine.account_id, theirs.email, theirs.role, mine.started_at, mine.seen_at)
        .add_columns(mine.expires_at, mine.address, mine.agent)
        .join(theirs, (theirs.id == mine.account_id) & (theirs.epoch == mine.epoch))
        .where(mine.expires_at > now, theirs.locked_at.is_(None))
        .order_by(mine.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(mine.id < before)
    return session.execute(statement).all()


def touch(session: Session, signed_in: SignedIn, now: datetime) -> bool:
    """Record that they were here, every few minutes; return whether it was time."""
    if now - signed_in.seen_at < TOUCH_EVERY:
        return False
    session.execute(update(SignIn).where(SignIn.id == signed_in.sign_in_id).values(seen_at=now))
    return True


def end(session: Session, account_id: int, sign_in_id: int) -> bool:
    """End one sign-in of the account; return whether there was such a one."""
    mine = (SignIn.id == sign_in_id) & (SignIn.account_id == account_id)
    return session.scalar(delete(SignIn).where(mine).returning(SignIn.id)) is not None


def end_key(session: Session, key: str) -> None:
    """End the sign-in of this key, if there is one."""
    session.execute(delete(SignIn).where(SignIn.key_hash == hash_key(key)))


def end_all(session: Session, account_id: int) -> None:
    """End every sign-in of the account, also one that is being made by another request."""
    session.execute(update(Account).where(Account.id == account_id).values(epoch=Account.epoch + 1))
    session.execute(delete(SignIn).where(SignIn.account_id == account_id))


def end_others(session: Session, signed_in: SignedIn) -> bool:
    """End every sign-in of the account but this one, which goes on for no longer than before.

    Returns False where this one was ended meanwhile, and then it stays so.
    """
    account_id, kept = signed_in.account_id, signed_in.sign_in_id
    epoch = session.scalar(
        update(Account)
        .where(Account.id == account_id)
        .values(epoch=Account.epoch + 1)
        .returning(Account.epoch)
    )
    session.execute(delete(SignIn).where(SignIn.account_id == account_id, SignIn.id != kept))
    mine = (SignIn.id == kept) & (SignIn.epoch + 1 == epoch)
    renewed = update(SignIn).where(mine).values(epoch=epoch).returning(SignIn.id)
    return session.scalar(renewed) is not None


def sweep(session: Session, now: datetime) -> None:
    """Delete some of those that have expired."""
    leftovers.sweep(session, SignIn, SignIn.expires_at <= now)


def hash_key(key: str) -> bytes:
    """Return what the database knows of a key; it is long and random, so it needs no salt."""
    return hashlib.sha256(key.encode(errors="replace")).digest()
