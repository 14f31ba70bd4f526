"""A new password for who has forgotten theirs: the mailbox proves who it is."""

from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.accounts import accounts, letters, passwords, tokens
from web.accounts.forms import AddressForm, NewPasswordForm
from web.accounts.password_change import replace_password
from web.accounts.tokens import Fault, LinkError, LinkFor, Purpose
from web.extensions import db
from web.limits import rules
from web.mail.kinds import NO_ACCOUNT, RESET
from web.models import Account

SUBJECT = "Your password at {host}"

bp = Blueprint("reset", __name__, url_prefix="/account/reset")


@bp.get("")
def form() -> str:
    """Ask for the address."""
    return render_template("accounts/reset.html", form=AddressForm())


@bp.post("")
@rules.reset
def submit() -> ResponseReturnValue:
    """Mail a link. The answer is the same whether or not the address has an account."""
    form = AddressForm()
    if not form.validate_on_submit():
        return render_template("accounts/reset.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY
    write_to(form.address, datetime.now(UTC))
    return redirect(url_for(".asked"), HTTPStatus.SEE_OTHER)


def write_to(address: str, now: datetime) -> None:
    """Mail the link, or that there is no account; both in the same statements, so in the same time.

    The link goes to the address as its account has it: in other letters it may be another's mailbox.
    The token of an address without an account is mailed to nobody.
    """
    account = accounts.lock_by_email(db.session(), address)
    whose = LinkFor(Purpose.RESET, address)
    if account is not None:
        whose = LinkFor(Purpose.RESET, account.email, account.id)
    token = tokens.make(db.session(), whose, now)
    if account is None:
        again = letters.address_of(".form")
        letters.send(NO_ACCOUNT, SUBJECT, address, now, reset=again)
    else:
        link = letters.address_of(".open_link", token=token)
        letters.send(RESET, SUBJECT, account.email, now, link=link)
    db.session.commit()


@bp.get("/asked")
def asked() -> str:
    """Send the reader to their mailbox."""
    lifetime = letters.in_words(tokens.LIFETIMES[Purpose.RESET])
    return render_template("accounts/asked.html", lifetime=lifetime, again=url_for(".form"))


@bp.get("/confirm/<token>")
def open_link(token: str) -> str:
    """Ask for the new password."""
    account = account_of(token, datetime.now(UTC))
    return render_template(
        "accounts/new_password.html", form=NewPasswordForm(), email=account.email
    )


@bp.post("/confirm/<token>")
def choose_password(token: str) -> ResponseReturnValue:
    """Set it, end all sign-ins, and sign its owner in here."""
    now = datetime.now(UTC)
    account = account_of(token, now)
    form = NewPasswordForm()
    form.about = account.email
    if not form.validate_on_submit():
        page = render_template("accounts/new_password.html", form=form, email=account.email)
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    password_hash = passwords.make_hash(form.password.data)
    accounts.lock(db.session(), account.id)
    account = account_of(token, now)  # an operator may have locked it out meanwhile
    tokens.use(db.session(), Purpose.RESET, token, now)
    replace_password(account, password_hash, now)
    return redirect(url_for("account.show"), HTTPStatus.SEE_OTHER)


def account_of(token: str, now: datetime) -> Account:
    """Return the account whose password the link resets, or raise LinkError.

    A link to an address that the account no longer has is worth nothing, nor is one to a locked account:
    it is mailed all the same, so that asking for it tells nobody that the account is locked.
    """
    row = tokens.find(db.session(), Purpose.RESET, token, now)
    account = db.session.get(Account, row.account_id) if row.account_id else None
    if account is None or account.locked_at or account.email.lower() != row.email.lower():
        raise LinkError(Purpose.RESET, Fault.UNKNOWN)
    return account
