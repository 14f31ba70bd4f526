"""Mail, found however much there is: by an index, or among the newest.

An address, a domain or the queue may have many mails, and no index has those in the order of time. Where they are
few, all are looked at; else the newest of all mail is. So is it for a kind: an index of all mail by kind would cost
the mailer more than it is worth. A search that ends before it has filled a page says where.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Row,
    Select,
    case,
    func,
    select,
    true,
    union_all,
)

from common.schema import outbox
from web.console.mail.search import Search

IN_ORDER = {"unsure", "dead", "expired", "suppressed", "cancelled"}  # an index has each by number
LANES = (outbox.c.attempts == 0, outbox.c.attempts > 0)  # of the queue, each with its index
FEW = 1_000
WINDOW = 10_000  # mails that are looked at for a page, at most
COLUMNS: tuple[ColumnElement[Any], ...] = (
    outbox.c.id,
    outbox.c.state,
    outbox.c.kind,
    outbox.c.recipient,
    outbox.c.message_id,
    outbox.c.subject,
    outbox.c.attempts,
    outbox.c.created_at,
    outbox.c.due_at,
    outbox.c.done_at,
)


@dataclass(frozen=True, slots=True)
class Found:
    """Mails, the newest first; and where the search ended before it had enough: None, where there are no more."""

    rows: Sequence[Row[Any]]
    ended_at: int | None = None


def find(connection: Connection, search: Search, limit: int, before: int | None) -> Found:
    """Return so many of the mails."""
    if search.is_any:
        return Found(connection.execute(newest(before).limit(limit)).all())
    looked_at = candidates(search, before).cte("looked_at")
    window = select(func.count().label("number"), func.min(looked_at.c.id).label("end")).subquery()
    found = select(looked_at).where(*search.conditions(looked_at)).order_by(looked_at.c.id.desc())
    some = found.limit(limit).subquery()
    statement = select(window, some).select_from(window.outerjoin(some, true()))
    rows = connection.execute(statement.order_by(some.c.id.desc())).all()
    mails = [row for row in rows if row.id is not None]
    is_cut = rows[0].number >= WINDOW and len(mails) < limit
    return Found(mails, rows[0].end if is_cut else None)


def candidates(search: Search, before: int | None) -> Select[Any]:
    """Return the mails to look at, by the part of the search that has the fewest."""
    every = newest(before)
    if search.is_of_one:
        return every.where(search.named(outbox))
    if search.q and not search.is_of_domain:
        return few_or_newest([search.named(outbox)], every)
    if search.state in IN_ORDER:
        return every.where(outbox.c.state == search.state).limit(WINDOW)
    if search.state == "queued":
        return few_or_newest([(outbox.c.state == "queued") & lane for lane in LANES], every)
    if search.is_of_domain:
        return few_or_newest([search.named(outbox)], every)
    return every.limit(WINDOW)


def newest(before: int | None) -> Select[Any]:
    """Return all mail, the newest first."""
    statement = select(*COLUMNS).order_by(outbox.c.id.desc())
    return statement if before is None else statement.where(outbox.c.id < before)


def few_or_newest(conditions: list[ColumnElement[bool]], every: Select[Any]) -> Select[Any]:
    """Return the mails of which one of these holds, where they are few; else the newest of all."""
    some = [every.order_by(None).where(one).limit(FEW + 1) for one in conditions]
    few: CTE = union_all(*(select(one.subquery()) for one in some)).cte("few")
    number = select(func.count()).select_from(few).scalar_subquery()
    others = every.limit(case((number > FEW, WINDOW), else_=0)).subquery()
    return select(union_all(select(few).where(number <= FEW), select(others)).subquery())
