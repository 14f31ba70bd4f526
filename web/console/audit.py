"""What operators do, written down in the transaction that does it: who, when, from where, what, to what."""

from datetime import UTC, datetime
from typing import Any

from flask import g, request
from sqlalchemy.orm import Session

from web.accounts.current import who
from web.console.printable import printable
from web.models import Account, AuditEntry


def record(session: Session, action: str, subject: str, **detail: Any) -> None:
    """Write it down; it is there if and only if the caller's transaction commits.

    `action` is a verb and what it is done to, such as `mail.retry`; `subject` names the one; `detail` is JSON.
    """
    account = session.get(Account, who().account_id)
    entry = AuditEntry(
        at=datetime.now(UTC),
        account_id=who().account_id,
        email=account.email if account else "",
        address=request.remote_addr or "",
        action=action,
        subject=printable(subject),
        detail={name: printable(value) for name, value in detail.items()},
        request_id=g.request_id,
    )
    session.add(entry)
