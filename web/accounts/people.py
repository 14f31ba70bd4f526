"""The people of this site, for its operators: roles, and an end to somebody's sign-ins."""

from http import HTTPStatus

import structlog
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from web.accounts import accounts, paging, roster, sign_ins
from web.accounts.accounts import LastOperatorError
from web.accounts.current import operators_only, who
from web.accounts.forms import ROLES, RoleForm
from web.accounts.paging import ASKED
from web.extensions import db
from web.models import OPERATOR, Account

LONGEST_SEARCH = 254
LAST_OPERATOR = (
    "{email} is the only operator, and stays one: make another person an operator first."
)

log = structlog.get_logger(__name__)

bp = Blueprint("people", __name__, url_prefix="/console/people")


@bp.get("")
@operators_only
def show() -> str:
    """List them, the newest first; `q` is a part of the address."""
    search = request.args.get("q", "").strip().replace("\0", "")[:LONGEST_SEARCH]
    found = roster.people(db.session(), search=search, limit=ASKED, before=paging.before())
    return render_template(
        "accounts/people.html",
        **paging.page(found),
        search=search,
        roles=ROLES,
        me=who().account_id,
    )


@bp.post("/<int:account_id>/role")
@operators_only
def change_role(account_id: int) -> ResponseReturnValue:
    """Give somebody another role, from their next click on."""
    email = somebody(account_id).email
    form = RoleForm()
    if not form.validate_on_submit():
        abort(HTTPStatus.BAD_REQUEST)
    role = form.role.data
    try:
        accounts.change_role(db.session(), account_id, role)
        db.session.commit()
        log.info("role changed", account=account_id, role=role, by=who().account_id)
        flash(f"{email} is {'an operator' if role == OPERATOR else 'a member'} now.")
    except LastOperatorError:
        flash(LAST_OPERATOR.format(email=email), "error")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


@bp.post("/<int:account_id>/end-sign-ins")
@operators_only
def end_sign_ins(account_id: int) -> ResponseReturnValue:
    """Sign somebody out everywhere."""
    email = somebody(account_id).email
    sign_ins.end_all(db.session(), account_id)
    db.session.commit()
    log.info("signed out", account=account_id, where="everywhere", by=who().account_id)
    flash(f"{email} is signed out everywhere.")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


def somebody(account_id: int) -> Account:
    """Return the account, or answer that there is none."""
    found = db.session.get(Account, account_id)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return found
