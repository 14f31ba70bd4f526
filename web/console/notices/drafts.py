"""Writing a notice: a draft that only operators see, its preview, and publishing it."""

from datetime import UTC, datetime
from http import HTTPStatus

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from web.api.blueprint import ID
from web.console import audit
from web.console.notices.pages import find
from web.extensions import db
from web.notices import announcing, notices
from web.notices.draft import Draft, version
from web.notices.forms import NoticeForm
from web.notices.notices import (
    BadDraftError,
    ChangedError,
    MissingError,
    NoticeError,
    PublishedError,
    Told,
)

# A mail has its styles within; it runs nothing, loads nothing, and leads nowhere.
OF_A_MAIL = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"

WRITE, CHANGE = "Write a notice", "Change the draft"
MEANWHILE = (
    "Somebody else has changed this draft since you opened it. Theirs is what is kept, and is shown below; "
    "sent again, yours takes its place."
)

bp = Blueprint("notice_drafts", __name__, url_prefix="/notices")


@bp.get("/new")
def new() -> str:
    """Show the empty form."""
    return form_page(NoticeForm())


@bp.post("/new")
def write() -> ResponseReturnValue:
    """Keep a draft, and show it as it will be."""
    form, now = NoticeForm(), datetime.now(UTC)
    if not form.is_good(now):
        return form_page(form), HTTPStatus.UNPROCESSABLE_ENTITY
    session = db.session()
    notice = notices.draft(session, form.draft, now)
    audit.record(session, "notice.draft", subject(notice.id), title=notice.title)
    session.commit()
    return to_notice(notice.id)


@bp.get(f"/<{ID}:notice_id>/edit")
def edit(notice_id: int) -> ResponseReturnValue:
    """Show the form, filled in with the draft."""
    notice = find(db.session(), notice_id)
    if notice.published_at is not None:
        return refused(notice_id, PublishedError())
    kept = notices.draft_of(notice)
    return form_page(NoticeForm.of(kept), title=CHANGE, action=to_change(notice_id, kept))


@bp.post(f"/<{ID}:notice_id>/edit")
def change(notice_id: int) -> ResponseReturnValue:
    """Keep the draft as it is now."""
    form, now, session = NoticeForm(), datetime.now(UTC), db.session()
    if not form.is_good(now):
        return form_page(form, title=CHANGE), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        notices.change(session, notice_id, form.draft, now, seen())
    except ChangedError:
        return both(notice_id, form)
    except (PublishedError, MissingError) as error:
        form.words.errors = [f"{error} What you wrote can be kept as a new draft."]
        return form_page(form, action=url_for(".write")), HTTPStatus.CONFLICT
    audit.record(session, "notice.change", subject(notice_id), title=form.draft.title)
    session.commit()
    return to_notice(notice_id)


def both(notice_id: int, form: NoticeForm) -> ResponseReturnValue:
    """Show what was written beside what somebody else has written meanwhile: either can be kept."""
    db.session.rollback()
    kept = notices.draft_of(find(db.session(), notice_id))
    form.words.errors = [MEANWHILE]
    page = form_page(form, title=CHANGE, action=to_change(notice_id, kept), kept=kept)
    return page, HTTPStatus.CONFLICT


def to_change(notice_id: int, kept: Draft) -> str:
    """Return where a form is sent that was filled in with this draft, or beside it."""
    return url_for(".change", notice_id=notice_id, version=version(kept))


def seen() -> str | None:
    """Return the version of the draft that its reader had before them."""
    return request.args.get("version")


@bp.post(f"/<{ID}:notice_id>/discard")
def discard(notice_id: int) -> ResponseReturnValue:
    """Remove a draft."""
    session = db.session()
    try:
        title = notices.discard(session, notice_id, seen()).title
    except (PublishedError, ChangedError) as error:
        return refused(notice_id, error)
    audit.record(session, "notice.discard", subject(notice_id), title=title)
    session.commit()
    flash(f"The draft “{title}” is gone.")
    return redirect(url_for("console.notices.show_all"), HTTPStatus.SEE_OTHER)


@bp.post(f"/<{ID}:notice_id>/publish")
def publish(notice_id: int) -> ResponseReturnValue:
    """Show it to everybody, and mail it; pressed twice it is mailed once."""
    session = db.session()
    try:
        told = notices.publish(session, notice_id, datetime.now(UTC), seen())
    except (PublishedError, ChangedError, BadDraftError) as error:
        return refused(notice_id, error)
    audit.record(session, "notice.publish", subject(notice_id), mails=told.mails)
    session.commit()
    flash(f"It is published, and on its way to {people(told.mails)}.")
    return to_sending(notice_id, told)


@bp.get(f"/<{ID}:notice_id>/mail")
def mail(notice_id: int) -> Response:
    """Show the newest mail as a mail program does, for a frame of the notice's page."""
    notice = find(db.session(), notice_id)
    response = make_response(announcing.message(notice, notice.updates[-1]).html)
    response.headers["Content-Security-Policy"] = OF_A_MAIL
    return response


def form_page(
    form: NoticeForm,
    *,
    title: str = WRITE,
    action: str | None = None,
    kept: Draft | None = None,
) -> str:
    """Return the page with the form; it is sent to where it stands, or to `action`.

    `kept` is the draft that somebody else has written meanwhile, to be shown as well.
    """
    return render_template(
        "console/notices/form.html", form=form, title=title, action=action, kept=kept
    )


def refused(notice_id: int, error: NoticeError) -> ResponseReturnValue:
    """Say why it was not done, where the notice is shown."""
    db.session.rollback()
    flash(str(error), "error")
    return to_notice(notice_id)


def to_notice(notice_id: int) -> ResponseReturnValue:
    """Send the browser to the notice."""
    return redirect(url_for("console.notices.show", notice_id=notice_id), HTTPStatus.SEE_OTHER)


def to_sending(notice_id: int, told: Told) -> ResponseReturnValue:
    """Send the browser to where the mail is watched, if there is any."""
    if not told.mails:
        return to_notice(notice_id)
    page = url_for("console.notice_updates.watch", notice_id=notice_id, update_id=told.update)
    return redirect(page, HTTPStatus.SEE_OTHER)


def subject(notice_id: int) -> str:
    """Return how the audit log names a notice."""
    return f"notice {notice_id}"


def people(number: int) -> str:
    """Return how many people that is, in words."""
    return "1 subscriber" if number == 1 else f"{number} subscribers"
