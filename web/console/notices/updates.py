"""Going on with a notice: an update, the last of which resolves it, and how far its mail has come."""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from flask import Blueprint, Response, flash, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from web.api.blueprint import ID
from web.console import audit, streaming
from web.console.notices import pages
from web.console.notices.drafts import people, subject, to_notice, to_sending
from web.console.streaming import Shown
from web.extensions import db, reading
from web.models import NoticeUpdate
from web.notices import announcing, notices, sending
from web.notices.forms import UpdateForm
from web.notices.notices import MissingError, News, NotOpenError, WentOnError
from web.notices.pages import labels

bp = Blueprint("notice_updates", __name__, url_prefix="/notices")


@bp.post(f"/<{ID}:notice_id>/updates")
def write(notice_id: int) -> ResponseReturnValue:
    """Tell how it goes on, or show what would be mailed; `after` is the newest update of its writer's page."""
    form, session = UpdateForm(), db.session()
    notice = pages.find(session, notice_id)
    if not form.is_good(notice.kind):
        return pages.page(notice, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    if form.preview.data:
        wanted = NoticeUpdate(state=form.state.data, words=form.said)
        return pages.page(notice, form, preview=announcing.message(notice, wanted))
    news, after = News(form.state.data, form.said), request.args.get("after", 0, int)
    try:
        told = notices.update(session, notice_id, news, after=after, now=datetime.now(UTC))
    except (NotOpenError, WentOnError) as error:
        return again(notice_id, form, str(error))
    if told is None:
        return to_notice(notice_id)
    audit.record(session, "notice.update", subject(notice_id), state=news.state, mails=told.mails)
    session.commit()
    flash(f"It is told, and on its way to {people(told.mails)}.")
    return to_sending(notice_id, told)


def again(notice_id: int, form: UpdateForm, told: str) -> ResponseReturnValue:
    """Show what was written once more, beside the notice as it is now."""
    db.session.rollback()
    form.words.errors = [told]
    return pages.page(pages.find(db.session(), notice_id), form, HTTPStatus.CONFLICT)


@bp.get(f"/<{ID}:notice_id>/updates/<{ID}:update_id>")
def watch(notice_id: int, update_id: int) -> str:
    """Show how far the mail of this update has come; a page of its own, as it may load itself anew."""
    notice = pages.find(db.session(), notice_id)
    update = next((one for one in notice.updates if one.id == update_id), None)
    if update is None:
        raise MissingError(notice_id)
    sendings = sending.progress(db.session().connection(), pages.bodies_of([update]))
    return render_template(
        "console/notices/watch.html",
        notice=notice,
        update=update,
        sending=sendings.get(update.body_id or 0),
        **labels(),
    )


@bp.get(f"/<{ID}:notice_id>/updates/<{ID}:update_id>/events")
def events(notice_id: int, update_id: int) -> Response:
    """Send how far the mail of this update has come each time that changes, until none waits."""
    columns = NoticeUpdate.__table__.c
    mine = (columns.id == update_id) & (columns.notice_id == notice_id)
    with reading() as connection:
        body = connection.scalar(select(columns.body_id).where(mine))
    return streaming.respond(partial(look, body))


def look(body: int | None) -> Shown | None:
    """Return how it is now; None where no mail of it is kept."""
    if body is None:
        return None
    with reading() as connection:
        found = sending.progress(connection, [body]).get(body)
    if found is None:
        return None
    return Shown(render_template("console/notices/sending.html", sending=found), found.ended)
