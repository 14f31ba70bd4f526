"""Another e-mail address for an account: the password, then a link in the old mailbox and in the new."""

from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.accounts import accounts, email_links, letters, tokens
from web.accounts.current import signed_in_only, who
from web.accounts.email_links import Outcome
from web.accounts.forms import WRONG_PASSWORD, ChangeEmailForm
from web.accounts.password_change import proven
from web.accounts.tokens import Purpose
from web.extensions import db
from web.limits import rules
from web.mail.kinds import EMAIL_CHANGED, EMAIL_NEW, EMAIL_OLD, EMAIL_TAKEN

SUBJECT = "The address of your account at {host}"

log = structlog.get_logger(__name__)

bp = Blueprint("email", __name__, url_prefix="/account/email")


@bp.get("")
@signed_in_only
def form() -> str:
    """Ask for the new address and the password."""
    return render_template("accounts/email.html", form=ChangeEmailForm(), email=who().email)


@bp.post("")
@rules.change_email
@rules.change_password
@signed_in_only
def submit() -> ResponseReturnValue:
    """Mail both links. The answer is the same whether or not the new address has an account."""
    form = ChangeEmailForm()
    is_valid = form.validate_on_submit()
    if is_valid and form.address.lower() == who().email.lower():
        form.email.errors = ["This is your address already."]
    elif is_valid and (known := proven(form)):
        if ask_both(form.address, known, datetime.now(UTC)):
            return redirect(url_for(".asked"), HTTPStatus.SEE_OTHER)
        form.current_password.errors = [WRONG_PASSWORD]
    page = render_template("accounts/email.html", form=form, email=who().email)
    return page, HTTPStatus.UNPROCESSABLE_ENTITY


def ask_both(address: str, known: str, now: datetime) -> bool:
    """Mail both links, unless the password is no longer the one that was checked.

    An address that has an account gets no link but is told so: nothing can come of it.
    """
    account = accounts.lock(db.session(), who().account_id)
    if account is None or account.password_hash != known:
        return False
    made = email_links.make(db.session(), account, address, now)
    links = {
        purpose: letters.address_of(".open_link", token=token, purpose=purpose)
        for purpose, token in made.items()
    }
    letters.send(
        EMAIL_OLD, SUBJECT, account.email, now, link=links[Purpose.EMAIL_OLD], email=address
    )
    taken = accounts.by_email(db.session(), address)
    if taken is None:
        letters.send(EMAIL_NEW, SUBJECT, address, now, link=links[Purpose.EMAIL_NEW])
    else:
        sign_in = letters.address_of("sign_in.form")
        letters.send(EMAIL_TAKEN, SUBJECT, taken.email, now, sign_in=sign_in)
    db.session.commit()
    return True


@bp.get("/asked")
@signed_in_only
def asked() -> str:
    """Send the reader to both mailboxes."""
    lifetime = letters.in_words(tokens.LIFETIMES[Purpose.EMAIL_NEW])
    return render_template("accounts/email_asked.html", lifetime=lifetime)


@bp.get("/old/<token>", defaults={"purpose": Purpose.EMAIL_OLD})
@bp.get("/new/<token>", defaults={"purpose": Purpose.EMAIL_NEW})
def open_link(token: str, purpose: Purpose) -> str:
    """Show a button: a mail scanner that follows every link must not confirm for its reader."""
    row = tokens.find(db.session(), purpose, token, datetime.now(UTC))
    return render_template("accounts/email_link.html", purpose=purpose, email=row.email)


@bp.post("/old/<token>", defaults={"purpose": Purpose.EMAIL_OLD})
@bp.post("/new/<token>", defaults={"purpose": Purpose.EMAIL_NEW})
def confirm(token: str, purpose: Purpose) -> ResponseReturnValue:
    """Confirm for this mailbox; with the other one's, the address is changed."""
    now = datetime.now(UTC)
    done = email_links.confirm(db.session(), purpose, token, now)
    if done.outcome is Outcome.CHANGED:
        letters.send(EMAIL_CHANGED, SUBJECT, done.old, now, email=done.new)
    db.session.commit()
    if done.outcome is Outcome.CHANGED:
        log.info("e-mail changed", account=done.account_id)
    return redirect(url_for(".confirmed", outcome=done.outcome.value), HTTPStatus.SEE_OTHER)


@bp.get("/confirmed/<any(waiting, changed, taken):outcome>")
def confirmed(outcome: str) -> str:
    """Say what came of it, and what is left to do."""
    return render_template("accounts/email_confirmed.html", outcome=outcome)
