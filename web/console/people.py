"""The people of this site: who they are, and what role they have."""

from http import HTTPStatus

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from web.accounts import paging, roster
from web.accounts.accounts import LastOperatorError
from web.accounts.current import who
from web.accounts.forms import ROLES, RoleForm
from web.accounts.paging import ASKED
from web.api.blueprint import ID
from web.console import acts
from web.extensions import db
from web.models import OPERATOR, Account

LONGEST_SEARCH = 254

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.get("")
def show() -> str:
    """List them, the newest first; `q` is a part of the address."""
    search = request.args.get("q", "").strip().replace("\0", "")[:LONGEST_SEARCH]
    found = roster.people(db.session(), search=search, limit=ASKED, before=paging.before())
    return render_template(
        "console/people.html", **paging.page(found), search=search, roles=ROLES, me=who().account_id
    )


@bp.post(f"/<{ID}:account_id>/role")
def change_role(account_id: int) -> ResponseReturnValue:
    """Give somebody another role, from their next click on."""
    account = somebody(account_id)
    email, form = account.email, RoleForm()
    if not form.validate_on_submit():
        abort(HTTPStatus.BAD_REQUEST)
    role = form.role.data
    try:
        acts.give_role(account, role)
        flash(f"{email} is {'an operator' if role == OPERATOR else 'a member'} now.")
    except LastOperatorError:
        flash(acts.LAST_OPERATOR.format(email=email), "error")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


def somebody(account_id: int) -> Account:
    """Return the account, or answer that there is none."""
    found = db.session.get(Account, account_id)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return found
