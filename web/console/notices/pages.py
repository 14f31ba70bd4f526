"""All notices, and one: as people see it, with what can be done with it next."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from web.accounts import paging
from web.accounts.paging import ASKED
from web.api.blueprint import ID
from web.exchange.headers import POLICY
from web.extensions import db
from web.models import Notice, NoticeUpdate
from web.notices import sending, subscriptions
from web.notices.draft import version
from web.notices.forms import UpdateForm
from web.notices.notices import MissingError, draft_of
from web.notices.pages import labels
from web.notices.part import part
from web.notices.states import states_of

WITH_FRAME = f"{POLICY}; frame-src 'self'"  # the mail, in a sandbox

bp = Blueprint("notices", __name__, url_prefix="/notices")


@bp.get("")
def show_all() -> str:
    """List them, the newest first."""
    found = newest(db.session(), limit=ASKED, before=paging.before())
    return render_template("console/notices/list.html", **paging.page(found), **labels())


@bp.get(f"/<{ID}:notice_id>")
def show(notice_id: int) -> Response:
    """Show one."""
    return page(find(db.session(), notice_id), UpdateForm())


def page(notice: Notice, form: UpdateForm, status: int = HTTPStatus.OK, **more: Any) -> Response:
    """Return the page of a notice; the form is for its next update."""
    session = db.session()
    html = render_template(
        "console/notices/notice.html",
        notice=notice,
        part=part(notice.updates, paging.before()),
        form=form,
        choices=states_of(notice.kind),
        sendings=sending.progress(session.connection(), bodies_of(notice.updates)),
        readers=0 if notice.resolved_at else subscriptions.count(session),
        version=None if notice.published_at else version(draft_of(notice)),
        **labels(),
        **more,
    )
    return Response(html, status, {"Content-Security-Policy": WITH_FRAME})


def bodies_of(updates: Iterable[NoticeUpdate]) -> set[int]:
    """Return which mails these updates were told by, as far as they are kept."""
    return {update.body_id for update in updates if update.body_id is not None}


def newest(session: Session, *, limit: int, before: int | None = None) -> list[Notice]:
    """Return drafts and published ones, the newest first, with their updates."""
    statement = select(Notice).order_by(Notice.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Notice.id < before)
    return list(session.scalars(statement.options(selectinload(Notice.updates))))


def find(session: Session, notice_id: int) -> Notice:
    """Return one, with its updates."""
    statement = select(Notice).where(Notice.id == notice_id).options(joinedload(Notice.updates))
    found = session.scalars(statement).unique().one_or_none()
    if found is None:
        raise MissingError(notice_id)
    return found
