"""What changed: voids all that was made of it, in every process that shares the store."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from web.caching.extension import keeper

WAITING = "tags to void"  # among what is kept beside a session
STORE = "store of those tags"


def invalidate(*tags: str) -> None:
    """Void what was made with any of these tags."""
    keeper().store.void(*tags)


def invalidate_after_commit(session: Session | scoped_session[Any], *tags: str) -> None:
    """Void it once the session's transaction is committed; never where it is rolled back."""
    session = session() if isinstance(session, scoped_session) else session
    if WAITING not in session.info:
        session.info[WAITING] = set()
        session.info[STORE] = keeper().store
        event.listen(session, "after_commit", void)
        event.listen(session, "after_soft_rollback", forget)
    session.info[WAITING].update(tags)


def void(session: Session) -> None:
    """Void what waited for the commit; a savepoint's end is none."""
    if session.in_nested_transaction():
        return
    session.info[STORE].void(*session.info[WAITING])
    session.info[WAITING].clear()


def forget(session: Session, ended: SessionTransaction) -> None:
    """Void nothing, as nothing changed; but what a savepoint leaves standing may have."""
    if ended.parent is None:
        session.info[WAITING].clear()
