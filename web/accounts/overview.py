"""The account's own page, and its end."""

from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.accounts import accounts, current, letters
from web.accounts.accounts import LastOperatorError
from web.accounts.current import signed_in_only, who
from web.accounts.forms import WRONG_PASSWORD, DeleteForm
from web.accounts.password_change import proven
from web.extensions import db
from web.limits import rules
from web.mail.kinds import ACCOUNT_DELETED

LAST_OPERATOR = (
    "You are the only operator, and somebody must be able to run this site: make another person an "
    "operator first, under People."
)

log = structlog.get_logger(__name__)

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("")
@signed_in_only
def show() -> str:
    """Show who is signed in, and what they can do."""
    return render_template("accounts/overview.html", who=who())


@bp.get("/delete")
@signed_in_only
def ask_to_delete() -> str:
    """Ask for the password, and whether they mean it."""
    return render_template("accounts/delete.html", form=DeleteForm(), email=who().email)


@bp.post("/delete")
@rules.change_password
@signed_in_only
def delete() -> ResponseReturnValue:
    """Delete the account, and sign its owner out."""
    form = DeleteForm()
    if form.validate_on_submit() and (known := proven(form)):
        try:
            if remove(known, datetime.now(UTC)):
                return redirect(url_for(".deleted"), HTTPStatus.SEE_OTHER)
            form.current_password.errors = [WRONG_PASSWORD]
        except LastOperatorError:
            form.sure.errors = [LAST_OPERATOR]
    page = render_template("accounts/delete.html", form=form, email=who().email)
    return page, HTTPStatus.UNPROCESSABLE_ENTITY


def remove(known: str, now: datetime) -> bool:
    """Delete it unless the password is no longer the one that was checked; raises LastOperatorError."""
    gone = who()
    if not accounts.remove(db.session(), gone.account_id, known):
        return False
    letters.send(ACCOUNT_DELETED, "Your account at {host} was deleted", gone.email, now)
    db.session.commit()
    current.sign_out()
    log.info("account removed", account=gone.account_id)
    return True


@bp.get("/deleted")
def deleted() -> str:
    """Say goodbye."""
    return render_template("accounts/deleted.html")
