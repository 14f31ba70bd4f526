"""Unsubscribing, by the link in a mail's header or by its button in the mail program (RFC 8058)."""

from http import HTTPStatus

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from web.extensions import csrf, db
from web.limits.limiter import UNSUBSCRIBE, limiter
from web.limits.who import client
from web.notices import subscriptions
from web.notices.unsubscribe_links import PATH, Links

bp = Blueprint("unsubscribe", __name__, url_prefix=PATH)
limiter.exempt(bp)  # a mailbox provider asks for all of its users, from a few addresses
csrf.exempt(bp)  # it has no cookie; the link is all the proof that there is


def who() -> str:
    """Return what a request counts for: a genuine link for itself, others for the client."""
    way_out = Links().read((request.view_args or {})["token"])
    return f"reader {way_out.subscriber}" if way_out else client()


@bp.get("/<token>")
@limiter.limit(UNSUBSCRIBE, key_func=who)
def ask(token: str) -> ResponseReturnValue:
    """Show a button: a mail scanner that follows every link must not unsubscribe its reader."""
    return show("open" if Links().read(token) else "unknown")


@bp.post("/<token>")
@limiter.limit(UNSUBSCRIBE, key_func=who)
def leave(token: str) -> ResponseReturnValue:
    """Unsubscribe the reader at once, and as often as asked; the same for person and program.

    Answers without a redirect, as RFC 8058 (3.1) wants it.
    """
    way_out = Links().read(token)
    if way_out is None:
        return show("unknown")
    subscriptions.end(db.session(), way_out)
    db.session.commit()
    return show("done")


def show(link: str) -> ResponseReturnValue:
    """Show what the link does, or did; never to whom it belongs."""
    status = HTTPStatus.NOT_FOUND if link == "unknown" else HTTPStatus.OK
    return render_template("notices/unsubscribe.html", link=link), status
