"""The public pages: what is wrong or planned now, what was, and one notice as it went on."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, render_template
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from web.accounts import paging
from web.accounts.paging import ASKED
from web.caching.pages import cached
from web.exchange.errors import explain
from web.extensions import db
from web.models import Notice
from web.notices import published, states, words
from web.notices.notices import TAG, MissingError
from web.notices.part import part

FRESH_SECONDS = 300  # what is published shows at once all the same: the tag voids the page
STALE_ON_ERROR_SECONDS = 86_400  # while the database is away, the page says of when it is

bp = Blueprint("notices", __name__, url_prefix="/notices")
bp.add_app_template_filter(words.paragraphs, "paragraphs")
bp.add_app_template_filter(words.links, "links")


@bp.get("")
@cached(
    fresh_seconds=FRESH_SECONDS,
    stale_on_error_seconds=STALE_ON_ERROR_SECONDS,
    on=(TAG,),
    query=("before",),
)
def show_all() -> str:
    """Show those that are open, and the past ones in pages."""
    session, before = db.session(), paging.before()
    return render_template(
        "notices/list.html",
        opened=published.opened(session) if before is None else (),
        **paging.page(published.past(session, limit=ASKED, before=before)),
        **labels(),
    )


@bp.get("/<int:notice_id>")
@cached(
    fresh_seconds=FRESH_SECONDS,
    stale_on_error_seconds=STALE_ON_ERROR_SECONDS,
    on=(TAG,),
    query=("before",),
)
def show(notice_id: int) -> str:
    """Show one with its updates, the newest first, in pages."""
    notice = found(db.session(), notice_id)
    some = part(notice.updates, paging.before())
    return render_template("notices/notice.html", notice=notice, part=some, **labels())


@bp.app_errorhandler(MissingError)
def not_there(_error: MissingError) -> Response:
    """Answer 404, as a page or to a program; to strangers a draft is not there either."""
    return explain(NotFound())


def found(session: Session, notice_id: int) -> Notice:
    """Return what was published."""
    notice = published.one(session, notice_id)
    if notice is None:
        raise MissingError(notice_id)
    return notice


def labels() -> dict[str, Any]:
    """Return what templates call kinds and states, and of when the page is."""
    return {"kinds": states.KINDS, "states": states.STATES, "now": datetime.now(UTC)}
