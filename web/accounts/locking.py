"""Keeping somebody out: a locked account is signed out everywhere, and nobody can sign in with it."""

from datetime import datetime

from sqlalchemy.orm import Session

from web.accounts import accounts, sign_ins, tokens
from web.accounts.tokens import LinkFor, Purpose
from web.models import Account


def lock_out(session: Session, account_id: int, now: datetime) -> Account | None:
    """Lock the account, and let no link work that was mailed for it; raises LastOperatorError.

    Returns None where it is gone. Its invitations work no more either, as tokens.STILL_MEANT has it.
    """
    accounts.require_another_operator(session, account_id)
    account = accounts.lock(session, account_id)
    if account is None:
        return None
    account.locked_at = account.locked_at or now
    session.flush()
    sign_ins.end_all(session, account_id)
    for purpose in (Purpose.RESET, Purpose.EMAIL_OLD, Purpose.EMAIL_NEW):
        tokens.close(session, LinkFor(purpose, "", account_id), now)
    return account


def let_in(session: Session, account_id: int) -> Account | None:
    """Unlock the account: its password works again, none of its sign-ins. Returns None where it is gone."""
    account = accounts.lock(session, account_id)
    if account is not None:
        account.locked_at = None
    return account
