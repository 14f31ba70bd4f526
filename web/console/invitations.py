"""Inviting people, for operators: a mailed link that makes an account with the role they chose."""

from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.accounts import accounts, letters, paging, registration, roster, tokens
from web.accounts.current import who
from web.accounts.forms import InviteForm
from web.accounts.paging import ASKED
from web.accounts.tokens import LIFETIMES, LinkFor, Purpose
from web.api.blueprint import ID
from web.console import audit
from web.extensions import db
from web.mail.kinds import INVITATION

log = structlog.get_logger(__name__)

bp = Blueprint("invitations", __name__, url_prefix="/people/invitations")


@bp.get("")
def show() -> str:
    """Show the form, and the invitations that nobody has accepted yet."""
    return page(InviteForm())


@bp.post("")
def invite() -> ResponseReturnValue:
    """Mail the invitation; a newer one replaces an older. Operators may know who has an account."""
    registration.require_open(Purpose.INVITE)
    form = InviteForm()
    is_valid = form.validate_on_submit()
    if is_valid and accounts.by_email(db.session(), form.address):
        form.email.errors = ["This person has an account already; see People."]
        is_valid = False
    if not is_valid:
        return page(form), HTTPStatus.UNPROCESSABLE_ENTITY
    write_to(form.address, form.role.data, datetime.now(UTC))
    log.info("invited", role=form.role.data, by=who().account_id)
    flash(f"An invitation is on its way to {form.address}.")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


def write_to(address: str, role: str, now: datetime) -> None:
    """Mail the link, which works as long as who sends it is an operator."""
    what = LinkFor(Purpose.INVITE, address, role=role, invited_by=who().account_id)
    token = tokens.make(db.session(), what, now)
    link = letters.address_of("sign_up.open_link", token=token, purpose=Purpose.INVITE)
    letters.send(INVITATION, "An invitation to {host}", address, now, link=link, role=role)
    audit.record(db.session(), "invitation.send", address, role=role)
    db.session.commit()


@bp.post(f"/<{ID}:invitation_id>/withdraw")
def withdraw(invitation_id: int) -> ResponseReturnValue:
    """Let an invitation work no more."""
    if email := take_back(invitation_id):
        flash(f"The invitation of {email} works no more.")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


def take_back(invitation_id: int) -> str | None:
    """Let an invitation work no more, and return whose it was; None where it was not open."""
    email = roster.withdraw(db.session(), invitation_id, datetime.now(UTC))
    if email is not None:
        audit.record(db.session(), "invitation.withdraw", email)
        db.session.commit()
        log.info("invitation withdrawn", invitation=invitation_id, by=who().account_id)
    return email


def page(form: InviteForm) -> str:
    """Show the form, and the open invitations, the newest first."""
    now = datetime.now(UTC)
    found = roster.invitations(db.session(), now, limit=ASKED, before=paging.before())
    return render_template(
        "console/invitations.html",
        form=form,
        **paging.page(found),
        lifetime=letters.in_words(LIFETIMES[Purpose.INVITE]),
        mode=registration.mode(),
    )
