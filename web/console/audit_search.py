"""Which entries of the audit log are asked for: by who, what and day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import request
from sqlalchemy import Row, Select, select

from web.extensions import reading
from web.models import AuditEntry

AT_ONCE = 500
LONGEST = 254


@dataclass(frozen=True, slots=True)
class Search:
    """`who` is a part of an address, `action` the beginning of one; `day` is of UTC."""

    who: str = ""
    action: str = ""
    day: date | None = None

    @property
    def is_any(self) -> bool:
        """Return whether anything is asked for."""
        return bool(self.who or self.action or self.day)

    @property
    def arguments(self) -> dict[str, str]:
        """Return it as the arguments of an address."""
        named = {"who": self.who, "action": self.action}
        named["day"] = self.day.isoformat() if self.day else ""
        return {name: value for name, value in named.items() if value}

    def statement(self, before: int | None) -> Select[Any]:
        """Return what finds the entries, the newest first; those after `before`, if it is given."""
        found = select(AuditEntry.__table__).order_by(AuditEntry.id.desc())
        if self.who:
            found = found.where(AuditEntry.email.icontains(self.who, autoescape=True))
        if self.action:
            found = found.where(AuditEntry.action.startswith(self.action, autoescape=True))
        if self.day:
            begin = datetime.combine(self.day, time(), UTC)
            found = found.where(AuditEntry.at >= begin, AuditEntry.at < begin + timedelta(days=1))
        return found if before is None else found.where(AuditEntry.id < before)


def asked() -> Search:
    """Return what this request asks for; a day that is none is not asked for."""
    return Search(word("who"), word("action"), day(word("day")))


def word(name: str) -> str:
    """Return an argument of the address, or nothing."""
    return request.args.get(name, "").strip().replace("\0", "")[:LONGEST]


def day(text: str) -> date | None:
    """Return the day, or None where the text is none."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found < date.max else None


def every(search: Search) -> Iterator[Row[Any]]:
    """Yield all entries, some at a time: no transaction is held for a browser that reads slowly."""
    before: int | None = None
    some: Sequence[Row[Any]] = ()
    while before is None or some:
        with reading() as connection:
            some = connection.execute(search.statement(before).limit(AT_ONCE)).all()
        yield from some
        if len(some) < AT_ONCE:
            return
        before = some[-1].id
