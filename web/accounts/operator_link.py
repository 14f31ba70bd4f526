"""The page behind the link of the first operator."""

from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.accounts import accounts, current, first_operator, passwords
from web.accounts.forms import FirstOperatorForm
from web.extensions import db
from web.models import OPERATOR, Account

OTHER_PASSWORD = "There is an account with this address, and this is not its password."  # noqa: S105 what is said of one
JUST_DELETED = "The account with this address has just been deleted. Please try again."
JUST_TAKEN = "Somebody has just made an account with this address. Please try again."

log = structlog.get_logger(__name__)

bp = Blueprint("operator_link", __name__, url_prefix=first_operator.PATH)


@bp.get("/<token>")
def open_link(token: str) -> str:
    """Ask for an address and a password."""
    first_operator.find(db.session(), token, datetime.now(UTC))
    return render_template("accounts/first_operator.html", form=FirstOperatorForm())


@bp.post("/<token>")
def become(token: str) -> ResponseReturnValue:
    """Make the operator, and sign them in."""
    now = datetime.now(UTC)
    first_operator.find(db.session(), token, now)
    form = FirstOperatorForm()
    account = make(form, token, now) if form.validate_on_submit() else None
    if account is None:
        page = render_template("accounts/first_operator.html", form=form)
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    current.sign_in(account, now)
    made = account.id
    db.session.commit()
    log.info("account made", account=made, role=OPERATOR, by="first-operator link")
    return redirect(url_for("account.show"), HTTPStatus.SEE_OTHER)


def make(form: FirstOperatorForm, token: str, now: datetime) -> Account | None:
    """Use the link up and return the operator: a new account, or one whose password they know."""
    password = form.password.data
    known = accounts.by_email(db.session(), form.address)
    if known is not None and (
        not passwords.is_right(password, known.password_hash) or known.locked_at
    ):
        form.password.errors = [OTHER_PASSWORD]
        return None
    password_hash = "" if known else passwords.make_hash(password)
    first_operator.use(db.session(), token, now)
    if known is None:
        made = accounts.create(db.session(), form.address, password_hash, now, OPERATOR)
        form.email.errors = [] if made else [JUST_TAKEN]
        return made
    accounts.change_role(db.session(), known.id, OPERATOR)
    if accounts.hold(db.session(), known.id):
        return known
    form.email.errors = [JUST_DELETED]
    return None
