"""Where somebody is signed in: a list of browsers, each of which they can sign out."""

from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.accounts import agents, current, paging, sign_ins
from web.accounts.current import signed_in_only, who
from web.accounts.paging import ASKED
from web.extensions import db
from web.sessions.interface import rotate

log = structlog.get_logger(__name__)

bp = Blueprint("browsers", __name__, url_prefix="/account/sessions")


@bp.get("")
@signed_in_only
def show() -> str:
    """List them, the newest first."""
    now, mine = datetime.now(UTC), who().account_id
    found = sign_ins.of_account(db.session(), mine, now, limit=ASKED, before=paging.before())
    return render_template(
        "accounts/sessions.html",
        **paging.page(found),
        here=who().sign_in_id,
        in_words=agents.in_words,
    )


@bp.post("/<int:sign_in_id>/end")
@signed_in_only
def end(sign_in_id: int) -> ResponseReturnValue:
    """Sign out one of them; this one, too."""
    if sign_in_id == who().sign_in_id:
        current.sign_out()
        return redirect(url_for("sign_in.signed_out"), HTTPStatus.SEE_OTHER)
    if sign_ins.end(db.session(), who().account_id, sign_in_id):
        db.session.commit()
        log.info("signed out", account=who().account_id, where="another browser")
        flash("That browser is signed out.")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


@bp.post("/end-others")
@signed_in_only
def end_others() -> ResponseReturnValue:
    """Sign out all browsers but this one, whose session gets another id, and no more time."""
    is_left = sign_ins.end_others(db.session(), who())
    db.session.commit()
    if not is_left:
        current.sign_out()
        return redirect(url_for("sign_in.form"), HTTPStatus.SEE_OTHER)
    rotate()
    log.info("signed out", account=who().account_id, where="everywhere else")
    flash("You are signed out everywhere else.")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


@bp.post("/end-all")
@signed_in_only
def end_all() -> ResponseReturnValue:
    """Sign out all browsers, this one as well."""
    signed_in = who().account_id
    sign_ins.end_all(db.session(), signed_in)
    db.session.commit()
    current.sign_out()
    log.info("signed out", account=signed_in, where="everywhere")
    return redirect(url_for("sign_in.signed_out"), HTTPStatus.SEE_OTHER)
