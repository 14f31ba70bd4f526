"""Signing up: first the address is proven, then a password chosen, and only then is there an account."""

from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.accounts import accounts, current, letters, passwords, registration, tokens
from web.accounts.forms import AddressForm, NewPasswordForm
from web.accounts.tokens import Fault, LinkError, LinkFor, Purpose
from web.extensions import db
from web.limits import rules
from web.mail.kinds import HAS_ACCOUNT, SIGN_UP

log = structlog.get_logger(__name__)

bp = Blueprint("sign_up", __name__, url_prefix="/account")


@bp.get("/sign-up")
def form() -> ResponseReturnValue:
    """Ask for the address, or say why there is nothing to ask for."""
    if current.current() is not None:
        return redirect(url_for("account.show"), HTTPStatus.SEE_OTHER)
    if registration.mode() != "open":
        return render_template("accounts/not_open.html", mode=registration.mode())
    return render_template("accounts/sign_up.html", form=AddressForm())


@bp.post("/sign-up")
@rules.sign_up
def submit() -> ResponseReturnValue:
    """Mail a link. The answer is the same whether or not the address has an account."""
    registration.require_open(Purpose.SIGN_UP)
    form = AddressForm()
    if not form.validate_on_submit():
        return render_template("accounts/sign_up.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY
    write_to(form.address, datetime.now(UTC))
    return redirect(url_for(".asked"), HTTPStatus.SEE_OTHER)


def write_to(address: str, now: datetime) -> None:
    """Mail the link, or that there is an account; both in the same statements, so in the same time.

    The token of an address that has an account is mailed to nobody.
    """
    token = tokens.make(db.session(), LinkFor(Purpose.SIGN_UP, address), now)
    account = accounts.by_email(db.session(), address)
    if account is None:
        link = letters.address_of(".open_link", token=token, purpose=Purpose.SIGN_UP)
        letters.send(SIGN_UP, "Your account at {host}", address, now, link=link)
    else:
        ways = {
            "sign_in": letters.address_of("sign_in.form"),
            "reset": letters.address_of("reset.form"),
        }
        letters.send(HAS_ACCOUNT, "Your account at {host}", account.email, now, **ways)
    db.session.commit()


@bp.get("/sign-up/asked")
def asked() -> str:
    """Send the reader to their mailbox."""
    lifetime = letters.in_words(tokens.LIFETIMES[Purpose.SIGN_UP])
    return render_template("accounts/asked.html", lifetime=lifetime, again=url_for(".form"))


@bp.get("/sign-up/confirm/<token>", defaults={"purpose": Purpose.SIGN_UP})
@bp.get("/invitation/<token>", defaults={"purpose": Purpose.INVITE})
def open_link(token: str, purpose: Purpose) -> str:
    """Ask for a password."""
    registration.require_open(purpose)
    row = tokens.find(db.session(), purpose, token, datetime.now(UTC))
    return render_template("accounts/new_account.html", form=NewPasswordForm(), email=row.email)


@bp.post("/sign-up/confirm/<token>", defaults={"purpose": Purpose.SIGN_UP})
@bp.post("/invitation/<token>", defaults={"purpose": Purpose.INVITE})
def choose_password(token: str, purpose: Purpose) -> ResponseReturnValue:
    """Make the account, and sign its owner in."""
    registration.require_open(purpose)
    now = datetime.now(UTC)
    row = tokens.find(db.session(), purpose, token, now)
    form = NewPasswordForm()
    form.about = row.email
    if not form.validate_on_submit():
        page = render_template("accounts/new_account.html", form=form, email=row.email)
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    password_hash = passwords.make_hash(form.password.data)
    tokens.take_turns(db.session(), row.email)
    row = tokens.use(db.session(), purpose, token, now)
    account = accounts.create(db.session(), row.email, password_hash, now, row.role)
    if account is None:  # another account has moved to this address meanwhile
        raise LinkError(purpose, Fault.USED)
    current.sign_in(account, now)
    made = {"account": account.id, "role": account.role}
    db.session.commit()
    log.info("account made", by=purpose.value, **made)
    return redirect(url_for("account.show"), HTTPStatus.SEE_OTHER)
