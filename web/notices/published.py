"""Notices as everybody may read them; a draft is none."""

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from web.models import Notice


def opened(session: Session) -> Sequence[Notice]:
    """Return those that are not resolved, the newest first, with their updates."""
    return session.scalars(newest_first().where(Notice.resolved_at.is_(None))).all()


def past(session: Session, *, limit: int, before: int | None = None) -> Sequence[Notice]:
    """Return those that are resolved, the newest first, with their updates."""
    statement = newest_first().where(Notice.resolved_at.is_not(None)).limit(limit)
    return session.scalars(older_than(statement, before)).all()


def newest(session: Session, *, limit: int, before: int | None = None) -> Sequence[Notice]:
    """Return the newest, open or past, with their updates."""
    return session.scalars(older_than(newest_first(), before).limit(limit)).all()


def one(session: Session, notice_id: int) -> Notice | None:
    """Return one, with its updates, the oldest first."""
    statement = select(Notice).where(Notice.id == notice_id, Notice.published_at.is_not(None))
    found = session.scalars(statement.options(joinedload(Notice.updates))).unique()
    return next(islice(found, 1), None)


def newest_first() -> Select[Notice]:
    """Return the statement for all of them."""
    return (
        select(Notice)
        .where(Notice.published_at.is_not(None))
        .order_by(Notice.id.desc())
        .options(selectinload(Notice.updates))
    )


def older_than(statement: Select[Notice], before: int | None) -> Select[Notice]:
    """Return the statement for what comes after that one in the list."""
    return statement if before is None else statement.where(Notice.id < before)
