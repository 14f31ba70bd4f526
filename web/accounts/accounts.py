"""The accounts themselves; what each change of one ends."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from web.accounts import sign_ins, tokens
from web.accounts.tokens import LinkFor, Purpose
from web.models import MEMBER, OPERATOR, Account

CAN_OPERATE = (Account.role == OPERATOR) & Account.locked_at.is_(None)


class LastOperatorError(Exception):
    """Nobody could run the site any more; somebody else becomes an operator first."""


def by_email(session: Session, email: str) -> Account | None:
    """Return the account of this address, in any case of letters, or None."""
    return session.scalar(select(Account).where(func.lower(Account.email) == email.lower()))


def create(
    session: Session, email: str, password_hash: str, now: datetime, role: str = MEMBER
) -> Account | None:
    """Make an account whose address is confirmed; None where the address has one by now."""
    tokens.take_turns(session, email)
    values = {"email": email, "password_hash": password_hash, "role": role, "created_at": now}
    statement = insert(Account).values(**values, password_changed_at=now)
    account = session.scalar(statement.on_conflict_do_nothing().returning(Account))
    if account is not None:
        for purpose in (Purpose.SIGN_UP, Purpose.INVITE):
            tokens.close(session, LinkFor(purpose, email), now)
    return account


def lock(session: Session, account_id: int) -> Account | None:
    """Return the account as it is now, and let nobody else change it in this transaction.

    Whoever changes an account and its links locks the account first, so that they take turns.
    """
    return session.scalar(_as_it_is(Account.id == account_id).with_for_update(key_share=True))


def lock_by_email(session: Session, email: str) -> Account | None:
    """Return the account of this address, locked, or None."""
    its_own = func.lower(Account.email) == email.lower()
    return session.scalar(_as_it_is(its_own).with_for_update(key_share=True))


def hold(session: Session, account_id: int) -> bool:
    """Keep the account from being removed in this transaction; return whether it is there, and not locked."""
    statement = select(Account.id).where(Account.id == account_id, Account.locked_at.is_(None))
    return session.scalar(statement.with_for_update(read=True, key_share=True)) is not None


def change_password(session: Session, account: Account, password_hash: str, now: datetime) -> None:
    """Set it, end every sign-in, and let no link that was asked for before work any more.

    The account is locked: so its epoch is known, and who signs in next is signed in.
    """
    account.password_hash = password_hash
    account.password_changed_at = now
    session.flush()
    sign_ins.end_all(session, account.id)
    for purpose in (Purpose.RESET, Purpose.EMAIL_OLD, Purpose.EMAIL_NEW):
        tokens.close(session, LinkFor(purpose, "", account.id), now)


def improve_hash(session: Session, account: Account, password_hash: str) -> None:
    """Keep the same password with today's costs, unless it was changed meanwhile."""
    statement = (
        update(Account)
        .where(Account.id == account.id, Account.password_hash == account.password_hash)
        .values(password_hash=password_hash)
        .execution_options(synchronize_session=False)
    )
    session.execute(statement)


def change_email(session: Session, account_id: int, email: str, now: datetime) -> bool:
    """Set it, and return whether it could be had: another account may have taken it.

    A link to reset the password that waits in the old mailbox works no more.
    """
    statement = update(Account).where(Account.id == account_id).values(email=email)
    try:
        with session.begin_nested():
            session.execute(statement)
    except IntegrityError:
        return False
    tokens.close(session, LinkFor(Purpose.RESET, "", account_id), now)
    return True


def change_role(session: Session, account_id: int, role: str) -> None:
    """Set it; raises LastOperatorError. Each browser of theirs gets a new session id (`current`)."""
    if role != OPERATOR:
        require_another_operator(session, account_id)
    session.execute(update(Account).where(Account.id == account_id).values(role=role))


def remove(session: Session, account_id: int, password_hash: str) -> bool:
    """Delete the account, with its sign-ins and links, and return True; raises LastOperatorError.

    Returns False where the password that was checked is no longer the account's.
    """
    require_another_operator(session, account_id)
    # Locked as deletion does it: a weaker lock would have to wait once more, for who holds it.
    account = session.scalar(_as_it_is(Account.id == account_id).with_for_update())
    if account is None or account.password_hash != password_hash:
        return False
    tokens.forget(session, account.email)
    tokens.forget_invitations_by(session, account_id)
    session.execute(delete(Account).where(Account.id == account_id))
    return True


def require_another_operator(session: Session, account_id: int) -> None:
    """Raise LastOperatorError if this is the only one; two who leave at once take turns."""
    operators = session.scalars(
        select(Account.id).where(CAN_OPERATE).order_by(Account.id).with_for_update()
    ).all()
    if list(operators) == [account_id]:
        raise LastOperatorError


def has_operator(session: Session) -> bool:
    """Return whether there is one who can sign in."""
    return session.scalar(select(Account.id).where(CAN_OPERATE).limit(1)) is not None


def _as_it_is(which: ColumnElement[bool]) -> Select[Account]:
    return select(Account).where(which).execution_options(populate_existing=True)
