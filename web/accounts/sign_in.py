"""Signing in and out."""

from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from web.accounts import accounts, current, passwords
from web.accounts.forms import NO_MATCH, SignInForm
from web.accounts.next_page import own_path
from web.extensions import db
from web.limits import rules
from web.models import Account

log = structlog.get_logger(__name__)

bp = Blueprint("sign_in", __name__, url_prefix="/account")


@bp.get("/sign-in")
def form() -> ResponseReturnValue:
    """Ask who it is."""
    if current.current() is not None:
        return redirect(url_for("account.show"), HTTPStatus.SEE_OTHER)
    return show(SignInForm())


@bp.post("/sign-in")
@rules.sign_in
def submit() -> ResponseReturnValue:
    """Sign them in, and send them where they wanted to go."""
    if current.current() is not None:
        return redirect(url_for("account.show"), HTTPStatus.SEE_OTHER)
    form = SignInForm()
    account = matching(form) if form.validate_on_submit() else None
    if account is None:
        form.password.errors = [NO_MATCH]
        return show(form), HTTPStatus.UNPROCESSABLE_ENTITY
    improve(account, form.password.data)
    signed_in = account.id
    current.sign_in(account, datetime.now(UTC))
    db.session.commit()
    log.info("signed in", account=signed_in)
    return redirect(next_page() or url_for("account.show"), HTTPStatus.SEE_OTHER)


def matching(form: SignInForm) -> Account | None:
    """Return the account that both are right for; takes as long where there is none.

    It may have been deleted while the password was checked.
    """
    account = accounts.by_email(db.session(), form.address or "")
    known = account.password_hash if account else None
    is_right = passwords.is_right(form.password.data or "", known)
    if account and is_right and accounts.hold(db.session(), account.id):
        return account
    log.info("sign-in failed", account=account.id if account else None)
    return None


def improve(account: Account, password: str) -> None:
    """Keep the password with today's costs."""
    if passwords.is_outdated(account.password_hash):
        accounts.improve_hash(db.session(), account, passwords.make_hash(password))


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Sign them out in this browser."""
    found = current.current()
    current.sign_out()
    if found is not None:
        log.info("signed out", account=found.account_id)
    return redirect(url_for(".signed_out"), HTTPStatus.SEE_OTHER)


@bp.get("/signed-out")
def signed_out() -> str:
    """Say that it is done."""
    return render_template("accounts/signed_out.html")


def show(form: SignInForm) -> str:
    """Show the form, which remembers where to go next."""
    return render_template("accounts/sign_in.html", form=form, next=next_page())


def next_page() -> str | None:
    """Return where they wanted to go, if that is a page of ours."""
    return own_path(request.args.get("next"))
