"""What operators do to accounts, for the pages and for the API: done, written down, and committed together."""

from datetime import UTC, datetime

import structlog

from web.accounts import accounts, locking, sign_ins
from web.accounts.current import who
from web.console import audit
from web.extensions import db
from web.models import Account

NOT_ONESELF = "You can't lock your own account: ask another operator."
LAST_OPERATOR = (
    "{email} is the only operator, and stays one: make another person an operator first."
)

log = structlog.get_logger(__name__)


class OneselfError(Exception):
    """Who locks themselves out could not undo it."""


def give_role(account: Account, role: str) -> None:
    """Give somebody another role, from their next click on; raises LastOperatorError."""
    account_id, email, before = account.id, account.email, account.role
    accounts.change_role(db.session(), account_id, role)
    audit.record(db.session(), "account.role", email, before=before, after=role)
    db.session.commit()
    log.info("role changed", account=account_id, role=role, by=who().account_id)


def end_sign_in(account: Account, sign_in_id: int) -> bool:
    """Sign somebody out in one browser; return whether they were signed in there."""
    account_id, email = account.id, account.email
    if not sign_ins.end(db.session(), account_id, sign_in_id):
        return False
    audit.record(db.session(), "account.end_sign_in", email, sign_in=sign_in_id)
    db.session.commit()
    log.info("signed out", account=account_id, where="one browser", by=who().account_id)
    return True


def end_sign_ins(account: Account) -> None:
    """Sign somebody out everywhere."""
    account_id, email = account.id, account.email
    sign_ins.end_all(db.session(), account_id)
    audit.record(db.session(), "account.end_sign_ins", email)
    db.session.commit()
    log.info("signed out", account=account_id, where="everywhere", by=who().account_id)


def lock(account: Account) -> None:
    """Lock the account; raises OneselfError and LastOperatorError."""
    account_id, email = account.id, account.email
    if account_id == who().account_id:
        raise OneselfError
    locking.lock_out(db.session(), account_id, datetime.now(UTC))
    audit.record(db.session(), "account.lock", email)
    db.session.commit()
    log.info("account locked", account=account_id, by=who().account_id)


def unlock(account: Account) -> None:
    """Unlock the account."""
    account_id, email = account.id, account.email
    locking.let_in(db.session(), account_id)
    audit.record(db.session(), "account.unlock", email)
    db.session.commit()
    log.info("account unlocked", account=account_id, by=who().account_id)
