"""The pages of the inbox: the list, one mail in each of its forms, and an end to mails."""

from http import HTTPStatus
from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, flash, make_response, redirect, request, url_for
from flask import render_template as render
from flask.typing import ResponseReturnValue
from sqlalchemy import Row

from web.accounts import paging
from web.exchange import headers
from web.extensions import db
from web.inbox import mails
from web.inbox.letter import Letter, read
from web.limits.limiter import limiter

LONGEST_SEARCH = 254
VIEWS = ("html", "text", "source")
WITH_FRAME = f"{headers.POLICY}; frame-src 'self'"
# A stranger's page: it may have styles, as mails do, and its links may lead away; nothing else.
OF_THE_MAIL = (
    "sandbox allow-popups allow-top-navigation-by-user-activation; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'"
)

bp = Blueprint("inbox", __name__, url_prefix="/dev/inbox")
limiter.exempt(bp)


class Found(NamedTuple):
    """A mail: its row, its bytes, and what these say."""

    row: Row[Any]
    raw: bytes
    letter: Letter


@bp.get("")
def index() -> str:
    """List the newest mail, whatever became of it; `q` is a part of the subject or the recipient."""
    search = request.args.get("q", "").strip().replace("\0", "")[:LONGEST_SEARCH]
    found = mails.newest(db.session(), search, paging.ASKED, paging.before())
    return render("inbox/list.html", **paging.page(found), search=search)


@bp.get("/<int:mail_id>")
def show(mail_id: int) -> Response:
    """Show one mail: as HTML if it has that, else its text; `view` chooses another form."""
    mail = find(mail_id)
    view = request.args.get("view", "html" if mail.letter.html else "text")
    if view not in VIEWS:
        abort(HTTPStatus.NOT_FOUND)
    page = render("inbox/mail.html", **mail._asdict(), views=VIEWS, view=view)
    return with_policy(make_response(page), WITH_FRAME)


@bp.get("/<int:mail_id>/html")
def html(mail_id: int) -> Response:
    """Show what a mail program shows, and nothing around it: this goes into a frame. 404 where it has no HTML."""
    letter = find(mail_id).letter
    if not letter.html:
        abort(HTTPStatus.NOT_FOUND)
    return with_policy(make_response(letter.framed), OF_THE_MAIL)


@bp.get("/<int:mail_id>/mail.eml")
def download(mail_id: int) -> Response:
    """Send the mail as a file that mail programs open."""
    response = Response(find(mail_id).raw, mimetype="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{mail_id}.eml"'
    return response


@bp.post("/<int:mail_id>/delete")
def delete(mail_id: int) -> ResponseReturnValue:
    """Remove one mail for good; one that waits is not sent then."""
    if mails.remove(db.session(), mail_id):
        db.session.commit()
        flash("The mail is deleted.")
    else:
        flash("That mail is gone already, or the mailer is sending it; look again.", "error")
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


@bp.post("/delete")
def delete_all() -> ResponseReturnValue:
    """Remove every mail for good; those that wait are not sent then."""
    removed = mails.remove_all(db.session())
    db.session.commit()
    flash(f"{removed} mail{'' if removed == 1 else 's'} deleted.")
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


def find(mail_id: int) -> Found:
    """Return the mail, or answer that there is none."""
    row = mails.whole(db.session(), mail_id) or abort(HTTPStatus.NOT_FOUND)
    raw = row.head + (row.content or b"")
    return Found(row, raw, read(raw))


def with_policy(response: Response, policy: str) -> Response:
    """Return the answer with a policy of its own."""
    response.headers["Content-Security-Policy"] = policy
    return response
