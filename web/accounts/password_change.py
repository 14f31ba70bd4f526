"""Another password for an account, and a page for who knows the one that it has."""

from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.accounts import accounts, current, letters, passwords
from web.accounts.current import signed_in_only, who
from web.accounts.forms import WRONG_PASSWORD, ChangePasswordForm, CurrentPasswordForm
from web.extensions import db
from web.limits import rules
from web.mail.kinds import PASSWORD_CHANGED
from web.models import Account

log = structlog.get_logger(__name__)

bp = Blueprint("password", __name__, url_prefix="/account/password")


@bp.get("")
@signed_in_only
def form() -> str:
    """Ask for the old password and the new one."""
    return page(ChangePasswordForm())


@bp.post("")
@rules.change_password
@signed_in_only
def submit() -> ResponseReturnValue:
    """Change it; every other browser is signed out."""
    form = ChangePasswordForm()
    form.about = who().email
    if form.validate_on_submit() and (known := proven(form)):
        password_hash = passwords.make_hash(form.password.data)
        account = accounts.lock(db.session(), who().account_id)
        if account is not None and account.password_hash == known:
            replace_password(account, password_hash, datetime.now(UTC))
            flash("Your password is changed. In every other browser you are signed out.")
            return redirect(url_for("account.show"), HTTPStatus.SEE_OTHER)
        form.current_password.errors = [WRONG_PASSWORD]
    return page(form), HTTPStatus.UNPROCESSABLE_ENTITY


def page(form: ChangePasswordForm) -> str:
    """Show the form; the address is for password managers."""
    return render_template("accounts/password.html", form=form, email=who().email)


def proven(form: CurrentPasswordForm) -> str | None:
    """Return the hash that the typed password is right for, or say beside its field that it is not.

    It may have been changed by another request since: compare once the account is locked.
    """
    account = db.session.get(Account, who().account_id)
    if account is not None and passwords.is_right(
        form.current_password.data or "", account.password_hash
    ):
        return account.password_hash
    form.current_password.errors = [WRONG_PASSWORD]
    return None


def replace_password(account: Account, password_hash: str, now: datetime) -> None:
    """Set it, end all sign-ins, sign its owner in here, and tell them; commits."""
    account_id = account.id
    accounts.change_password(db.session(), account, password_hash, now)
    current.sign_in(account, now)
    reset = letters.address_of("reset.form")
    letters.send(
        PASSWORD_CHANGED, "Your password at {host} was changed", account.email, now, reset=reset
    )
    db.session.commit()
    log.info("password changed", account=account_id)
