"""Notices as operators write them: drafted, published, gone on with, resolved. The caller commits."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from web.caching.tags import invalidate_after_commit
from web.models import Notice, NoticeUpdate
from web.notices import announcing
from web.notices.draft import Draft, problems, version
from web.notices.states import RESOLVED, concerned, first_state

TAG = "notices"  # on every page that shows some: what is published and what goes on voids it


@dataclass(frozen=True, slots=True)
class News:
    """What an update says: how it stands now, and words."""

    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """What was said by which update, and to how many it is mailed."""

    update: int
    mails: int


class MissingError(LookupError):
    """There is no such notice."""

    def __init__(self, notice_id: int) -> None:
        super().__init__(f"There is no notice {notice_id}; somebody may have discarded it.")


class NoticeError(Exception):
    """It can't be done with this notice; the message says why, and what to do."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class PublishedError(NoticeError):
    """It is published already, and was mailed once; go on with it by an update."""


class NotOpenError(NoticeError):
    """It is not open: a draft is to be published first, and what is resolved stays so."""


class WentOnError(NoticeError):
    """Somebody has written an update meanwhile; look at it, and send yours again if it still holds."""


class ChangedError(NoticeError):
    """Somebody has changed this draft since you saw it; look at it as it is now."""


class BadDraftError(NoticeError):
    """It can't be published as it is."""


def draft(session: Session, wanted: Draft, now: datetime) -> Notice:
    """Write a draft, which nobody but operators sees."""
    notice = Notice(created_at=now)
    notice.updates = [NoticeUpdate(written_at=now)]
    fill(notice, wanted, now)
    session.add(notice)
    session.flush()
    return notice


def change(
    session: Session, notice_id: int, wanted: Draft, now: datetime, seen: str | None = None
) -> None:
    """Change a draft; a published notice stays as it was told.

    Raises ChangedError where it is not as its writer has seen it, unless it is what they want already.
    """
    notice = unpublished(session, notice_id)
    if version(draft_of(notice)) != version(wanted):
        require_as_seen(notice, seen)
    fill(notice, wanted, now)


def discard(session: Session, notice_id: int, seen: str | None = None) -> Notice:
    """Remove a draft, and return what it was; raises ChangedError where it is not as it was seen."""
    notice = unpublished(session, notice_id)
    require_as_seen(notice, seen)
    session.delete(notice)
    return notice


def publish(session: Session, notice_id: int, now: datetime, seen: str | None = None) -> Told:
    """Show it to everybody and mail it to every subscriber; nobody tells what they have not seen."""
    notice = unpublished(session, notice_id)
    require_as_seen(notice, seen)
    if wrong := problems(draft_of(notice), now):
        raise BadDraftError(" ".join(wrong.values()))
    first = notice.updates[0]
    notice.published_at = first.written_at = now
    first.state = first_state(notice.kind, notice.begins_at, now)
    return tell(session, notice, first, now)


def update(
    session: Session, notice_id: int, news: News, *, after: int, now: datetime
) -> Told | None:
    """Say how it goes on, and mail that. Resolved it is open no more.

    `after` is the newest update that its writer has seen. Of two who write at once one is refused.
    None for what was said already: the button was pressed twice, and nobody is mailed again.
    """
    notice = locked(session, notice_id)
    newest = notice.updates[-1]
    if News(newest.state, newest.words) == news and newest.id > after:
        return None
    if notice.published_at is None or notice.resolved_at is not None:
        raise NotOpenError
    if newest.id != after:
        raise WentOnError
    written = NoticeUpdate(state=news.state, words=news.words, written_at=now)
    notice.updates.append(written)
    if news.state == RESOLVED:
        notice.resolved_at = now
    return tell(session, notice, written, now)


def tell(session: Session, notice: Notice, written: NoticeUpdate, now: datetime) -> Told:
    """Queue the mail, and have the pages show it, once it is committed."""
    invalidate_after_commit(session, TAG)
    mails = announcing.announce(session, notice, written, now)
    return Told(written.id, mails)


def draft_of(notice: Notice) -> Draft:
    """Return a notice as it was filled in."""
    return Draft(
        kind=notice.kind,
        title=notice.title,
        words=notice.updates[0].words,
        parts=notice.parts,
        begins_at=notice.begins_at,
        ends_at=notice.ends_at,
    )


def fill(notice: Notice, wanted: Draft, now: datetime) -> None:
    """Make it what was filled in."""
    notice.kind, notice.title = wanted.kind, wanted.title
    notice.parts = list(concerned(wanted.parts))
    notice.begins_at, notice.ends_at = wanted.begins_at, wanted.ends_at
    first = notice.updates[0]
    first.words, first.state = wanted.words, first_state(wanted.kind, wanted.begins_at, now)


def unpublished(session: Session, notice_id: int) -> Notice:
    """Return a draft, locked; of two who publish it at once, the second finds it published."""
    notice = locked(session, notice_id)
    if notice.published_at is not None:
        raise PublishedError
    return notice


def require_as_seen(notice: Notice, seen: str | None) -> None:
    """Raise ChangedError where the draft is another than the one of this version; None is any."""
    if seen is not None and seen != version(draft_of(notice)):
        raise ChangedError


def locked(session: Session, notice_id: int) -> Notice:
    """Return the notice as it is now, and as it stays until the caller's transaction ends."""
    statement = select(Notice).where(Notice.id == notice_id).with_for_update()
    found = session.scalar(statement.execution_options(populate_existing=True))
    if found is None:
        raise MissingError(notice_id)
    return found
