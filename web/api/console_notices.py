"""Notices for operators: all that the console's pages do, for programs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from apiflask import abort
from apiflask.fields import String
from flask.typing import ResponseReturnValue

from web.api.blueprint import ID, SECURITY, blueprint
from web.api.console_notice_schemas import (
    DRAFT_EXAMPLE,
    FOR_OPERATORS_EXAMPLE,
    PREVIEW_EXAMPLE,
    ConsoleNoticesOut,
    DraftIn,
    NewsIn,
    NoticeMailOut,
    OneConsoleNoticeOut,
    ToldOut,
    VersionQuery,
)
from web.api.notices import as_item, page_of
from web.api.operators import require_operator
from web.api.paging import PageQuery
from web.api.problems import problem
from web.console import audit
from web.console.notices import pages
from web.console.notices.drafts import subject
from web.extensions import db
from web.models import Notice
from web.notices import announcing, notices, sending
from web.notices.draft import Draft, problems, problems_of_words, tidy, tidy_line, version
from web.notices.notices import News, NoticeError
from web.notices.sending import Sending
from web.notices.states import STATES_OF

NO_STATE = "A notice of this kind is {}."
CONFLICT: Any = {409: {"description": "It is not in a state in which this can be done."}}

bp = blueprint("console_notices", __name__, "/console/notices")
bp.before_request(require_operator)


@bp.get("")
@bp.doc(security=SECURITY)
@bp.input(PageQuery, location="query", unknown="raise")
@bp.output(
    ConsoleNoticesOut,
    description="A page of notices.",
    example={"items": [FOR_OPERATORS_EXAMPLE], "next": None},
    headers={"Link": String(metadata={"description": "the next page"})},
)
def show_all(query_data: dict[str, int]) -> tuple[dict[str, Any], dict[str, str]]:
    """List notices and drafts."""
    limit, before = query_data["limit"], query_data.get("before")
    found = pages.newest(db.session(), limit=limit + 1, before=before)
    return page_of(found, limit, for_operators(found))


@bp.get(f"/<{ID}:notice_id>")
@bp.doc(security=SECURITY)
@bp.output(OneConsoleNoticeOut, description="The notice.", example=FOR_OPERATORS_EXAMPLE)
def show(notice_id: int) -> dict[str, Any]:
    """Tell of one notice or draft, and how far its mail has come."""
    return one(notice_id)


@bp.get(f"/<{ID}:notice_id>/mail")
@bp.doc(security=SECURITY)
@bp.output(NoticeMailOut, description="The mail.", example=PREVIEW_EXAMPLE)
def show_mail(notice_id: int) -> dict[str, Any]:
    """Show the newest mail of a notice, or the mail that a draft will be."""
    notice = pages.find(db.session(), notice_id)
    found = announcing.message(notice, notice.updates[-1])
    return {"subject": found.subject, "text": found.body, "html": found.html}


@bp.post("")
@bp.input(DraftIn, example=DRAFT_EXAMPLE)
@bp.output(OneConsoleNoticeOut, 201, description="The draft.", example=FOR_OPERATORS_EXAMPLE)
def draft(json_data: dict[str, Any]) -> dict[str, Any]:
    """Write a draft, which nobody but operators sees."""
    session, wanted = db.session(), checked(json_data)
    notice_id = notices.draft(session, wanted, datetime.now(UTC)).id
    audit.record(session, "notice.draft", subject(notice_id), title=wanted.title)
    session.commit()
    return one(notice_id)


@bp.post(f"/<{ID}:notice_id>")
@bp.doc(responses=CONFLICT)
@bp.input(VersionQuery, location="query", unknown="raise")
@bp.input(DraftIn, example=DRAFT_EXAMPLE)
@bp.output(OneConsoleNoticeOut, description="The draft.", example=FOR_OPERATORS_EXAMPLE)
def change(notice_id: int, query_data: dict[str, str], json_data: dict[str, Any]) -> dict[str, Any]:
    """Change a draft, all of it."""
    session, wanted, seen = db.session(), checked(json_data), query_data.get("version")
    notices.change(session, notice_id, wanted, datetime.now(UTC), seen)
    audit.record(session, "notice.change", subject(notice_id), title=wanted.title)
    session.commit()
    return one(notice_id)


@bp.delete(f"/<{ID}:notice_id>")
@bp.doc(responses=CONFLICT)
@bp.input(VersionQuery, location="query", unknown="raise")
@bp.output({}, 204, description="It is gone.")
def discard(notice_id: int, query_data: dict[str, str]) -> tuple[str, int]:
    """Discard a draft."""
    session = db.session()
    title = notices.discard(session, notice_id, query_data.get("version")).title
    audit.record(session, "notice.discard", subject(notice_id), title=title)
    session.commit()
    return "", 204


@bp.post(f"/<{ID}:notice_id>/publish")
@bp.doc(responses=CONFLICT)
@bp.input(VersionQuery, location="query", unknown="raise")
@bp.output(ToldOut, description="It is published.", example={"mails": 120})
def publish(notice_id: int, query_data: dict[str, str]) -> dict[str, int]:
    """Show a draft to everybody, and mail it to every subscriber.

    A second time it is refused, and nobody is mailed twice.
    """
    session, seen = db.session(), query_data.get("version")
    told = notices.publish(session, notice_id, datetime.now(UTC), seen)
    audit.record(session, "notice.publish", subject(notice_id), mails=told.mails)
    session.commit()
    return {"mails": told.mails}


@bp.post(f"/<{ID}:notice_id>/updates")
@bp.doc(responses=CONFLICT)
@bp.input(
    NewsIn, example={"state": "resolved", "words": "Mail goes out at once again.", "after": 12}
)
@bp.output(ToldOut, description="It is told.", example={"mails": 120})
def update(notice_id: int, json_data: dict[str, Any]) -> dict[str, int]:
    """Say how a notice goes on; the state resolved closes it.

    Of two who write at once, one is refused. What was said already is mailed to nobody.
    """
    session, news = db.session(), News(json_data["state"], tidy(json_data["words"]))
    allowed = STATES_OF[pages.find(session, notice_id).kind]
    wrong = problems_of_words(news.words)
    if news.state not in allowed:
        wrong["state"] = NO_STATE.format(" or ".join(allowed))
    refuse(wrong)
    told = notices.update(session, notice_id, news, after=json_data["after"], now=datetime.now(UTC))
    if told is None:
        return {"mails": 0}
    audit.record(session, "notice.update", subject(notice_id), state=news.state, mails=told.mails)
    session.commit()
    return {"mails": told.mails}


@bp.errorhandler(NoticeError)
def refused(error: NoticeError) -> ResponseReturnValue:
    """Answer that it can't be done as things are."""
    return problem(HTTPStatus.CONFLICT, str(error))


def checked(given: Mapping[str, Any]) -> Draft:
    """Return the draft, or answer what is wrong with it."""
    tidied = {"title": tidy_line(given["title"]), "words": tidy(given["words"])}
    wanted = Draft(**{**given, **tidied})
    refuse(problems(wanted, datetime.now(UTC)))
    return wanted


def refuse(wrong: Mapping[str, str]) -> None:
    """Answer what is wrong with single values, if anything is."""
    if wrong:
        abort(422, detail={"json": {name: [told] for name, told in wrong.items()}})


def one(notice_id: int) -> dict[str, Any]:
    """Return what is told of one."""
    notice = pages.find(db.session(), notice_id)
    return for_operators([notice])[0]


def for_operators(found: Sequence[Notice]) -> list[dict[str, Any]]:
    """Return what operators are told of these notices: all of it, and how far their mail has come."""
    updates = [update for notice in found for update in notice.updates]
    sendings = sending.progress(db.session().connection(), pages.bodies_of(updates))
    mails = {update.id: sendings.get(update.body_id or 0) for update in updates}
    items = [as_item(notice) | of_draft(notice) for notice in found]
    for item in items:
        for update in item["updates"]:
            update["mail"] = as_mail(mails[update["id"]])
    return items


def of_draft(notice: Notice) -> dict[str, Any]:
    """Return what operators are told beside what everybody is."""
    is_draft = notice.published_at is None
    return {
        "created_at": notice.created_at,
        "version": version(notices.draft_of(notice)) if is_draft else None,
    }


def as_mail(found: Sending | None) -> dict[str, Any] | None:
    """Return what is told of a mail."""
    if found is None:
        return None
    return {"total": found.total, "done": found.done, "states": found.by_state}
