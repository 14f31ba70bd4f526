"""Notices that are published: those still open for the page, all of them for the feed."""

from dataclasses import dataclass
from datetime import datetime

from flask import current_app, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from web.models import Notice, NoticeUpdate

TAG = "notices"  # what writes notices voids it
MOST_OPEN = 5
MOST_UPDATES = 50
ALL, ONE = "notices.show_all", "notices.show"  # endpoints, where this application has them


@dataclass(frozen=True, slots=True)
class Update:
    """How a notice went on; `at` is since when it can be read."""

    id: int
    notice_id: int
    kind: str
    title: str
    state: str
    words: str
    at: datetime
    begins_at: datetime | None
    ends_at: datetime | None

    @property
    def address(self) -> str:
        """Return where it can be read: on the notice's own page, if there is one."""
        if ONE in current_app.view_functions:
            return url_for(ONE, notice_id=self.notice_id)
        return url_for("status.show")

    @property
    def label(self) -> str:
        """Return the state as people read it."""
        return self.state.replace("_", " ").capitalize()


READABLE_AT = func.greatest(NoticeUpdate.written_at, Notice.published_at)
UPDATES = (
    select(
        NoticeUpdate.id,
        Notice.id.label("notice_id"),
        Notice.kind,
        Notice.title,
        NoticeUpdate.state,
        NoticeUpdate.words,
        READABLE_AT.label("at"),
        Notice.begins_at,
        Notice.ends_at,
    )
    .join(Notice, Notice.id == NoticeUpdate.notice_id)
    .where(Notice.published_at.is_not(None))
)
NEWEST = (
    select(func.max(NoticeUpdate.id))
    .where(NoticeUpdate.notice_id == Notice.id)
    .correlate(Notice)
    .scalar_subquery()
)


def read_open(session: Session) -> list[Update]:
    """Return the newest update of each notice that is not resolved, the newest first."""
    statement = UPDATES.where(Notice.resolved_at.is_(None), NoticeUpdate.id == NEWEST)
    rows = session.execute(statement.order_by(NoticeUpdate.id.desc()).limit(MOST_OPEN))
    return [Update(*row) for row in rows]


def read_updates(session: Session) -> list[Update]:
    """Return the newest updates of all notices, the newest first."""
    statement = UPDATES.order_by(READABLE_AT.desc(), NoticeUpdate.id.desc())
    return [Update(*row) for row in session.execute(statement.limit(MOST_UPDATES))]


def page_of_all() -> str | None:
    """Return the address of the page with all notices, if this application has one."""
    return url_for(ALL) if ALL in current_app.view_functions else None
