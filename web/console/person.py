"""One person: where they are signed in, an end to that, and a lock on the account."""

from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.accounts import agents, paging, sign_ins
from web.accounts.accounts import LastOperatorError
from web.accounts.current import who
from web.accounts.forms import ROLES
from web.accounts.paging import ASKED
from web.api.blueprint import ID
from web.console import acts
from web.console.acts import OneselfError
from web.console.people import somebody
from web.extensions import db

bp = Blueprint("person", __name__, url_prefix=f"/people/<{ID}:account_id>")


@bp.get("")
def show(account_id: int) -> str:
    """Show them, and where they are signed in, the newest first."""
    account, now = somebody(account_id), datetime.now(UTC)
    found = sign_ins.of_account(db.session(), account_id, now, limit=ASKED, before=paging.before())
    return render_template(
        "console/person.html",
        **paging.page(found),
        account=account,
        roles=ROLES,
        is_me=account_id == who().account_id,
        here=who().sign_in_id,
        in_words=agents.in_words,
    )


@bp.post(f"/sign-ins/<{ID}:sign_in_id>/end")
def end_one(account_id: int, sign_in_id: int) -> ResponseReturnValue:
    """Sign them out in one browser."""
    account = somebody(account_id)
    if acts.end_sign_in(account, sign_in_id):
        flash(f"{account.email} is signed out in that browser.")
    return back_to(account_id)


@bp.post("/end-sign-ins")
def end_all(account_id: int) -> ResponseReturnValue:
    """Sign somebody out everywhere."""
    account = somebody(account_id)
    acts.end_sign_ins(account)
    flash(f"{account.email} is signed out everywhere.")
    return back_to(account_id)


@bp.post("/lock")
def lock(account_id: int) -> ResponseReturnValue:
    """Lock the account; never one's own, and never that of the last operator."""
    account = somebody(account_id)
    email = account.email
    try:
        acts.lock(account)
        flash(f"{email} is locked, and signed out everywhere.")
    except OneselfError:
        flash(acts.NOT_ONESELF, "error")
    except LastOperatorError:
        flash(acts.LAST_OPERATOR.format(email=email), "error")
    return back_to(account_id)


@bp.post("/unlock")
def unlock(account_id: int) -> ResponseReturnValue:
    """Unlock the account."""
    account = somebody(account_id)
    acts.unlock(account)
    flash(f"{account.email} can sign in again.")
    return back_to(account_id)


def back_to(account_id: int) -> ResponseReturnValue:
    """Send the browser back to the person."""
    return redirect(url_for(".show", account_id=account_id), HTTPStatus.SEE_OTHER)
