"""The two links that together change an account's address: one in the old mailbox, one in the new."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from web.accounts import accounts, tokens
from web.accounts.tokens import Fault, LinkError, LinkFor, Purpose
from web.models import Account, AccountToken

OTHER = {Purpose.EMAIL_OLD: Purpose.EMAIL_NEW, Purpose.EMAIL_NEW: Purpose.EMAIL_OLD}


class Outcome(Enum):
    """What came of confirming one of them."""

    WAITING = "waiting"
    CHANGED = "changed"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What came of it, and for whom."""

    outcome: Outcome
    account_id: int
    old: str
    new: str


def make(session: Session, account: Account, email: str, now: datetime) -> dict[Purpose, str]:
    """Return the tokens for a change of this locked account to `email`; they replace older ones."""
    return {
        purpose: tokens.make(session, LinkFor(purpose, email, account.id), now) for purpose in OTHER
    }


def confirm(session: Session, purpose: Purpose, token: str, now: datetime) -> Confirmed:
    """Use one link up; once both are used, change the address. Raises LinkError.

    The account is locked first: of two who confirm at once, the second sees the first.
    """
    row = tokens.find(session, purpose, token, now)
    account = accounts.lock(session, row.account_id) if row.account_id else None
    if account is None:
        raise LinkError(purpose, Fault.UNKNOWN)
    row = tokens.use(session, purpose, token, now)
    who = (account.id, account.email, row.email)
    if not is_confirmed(session, row):
        return Confirmed(Outcome.WAITING, *who)
    changed = accounts.change_email(session, account.id, row.email, now)
    return Confirmed(Outcome.CHANGED if changed else Outcome.TAKEN, *who)


def is_confirmed(session: Session, row: AccountToken) -> bool:
    """Return whether the other link of the same change was used, too.

    A newer change closes both at once, and then neither can be used: so it was not merely closed.
    """
    other = OTHER[Purpose(row.purpose)]
    used_at = session.scalar(
        select(AccountToken.used_at)
        .where(AccountToken.account_id == row.account_id, AccountToken.purpose == other)
        .where(AccountToken.created_at == row.created_at)
    )
    return used_at is not None
