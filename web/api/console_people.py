"""The people of this site, for operators' programs: all that the console's pages do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from apiflask import abort

from web.accounts import roster, sign_ins
from web.accounts.accounts import LastOperatorError
from web.api import console_examples as examples
from web.api import console_schemas as schemas
from web.api.blueprint import ID, SECURITY, blueprint
from web.api.operators import require_operator
from web.api.paging import PageQuery, link_to
from web.console import acts
from web.console.acts import OneselfError
from web.extensions import db
from web.models import Account

NOBODY = "There is no account of this id."
NO_SIGN_IN = "They have no session of this id; it may have ended already."
CONFLICT: Any = {409: {"description": "It is your own account, or the only operator's."}}

bp = blueprint("console_people", __name__, "/console/people")
bp.before_request(require_operator)


@bp.get("")
@bp.doc(security=SECURITY)
@bp.input(schemas.PeopleQuery, location="query", unknown="raise")
@bp.output(schemas.PeopleOut, description="A page of accounts.", example=examples.PEOPLE)
def people(query_data: dict[str, Any]) -> dict[str, Any]:
    """List the accounts.

    The newest first, a page at a time: follow next until it is null.
    """
    limit, search = query_data["limit"], query_data.get("q", "").replace("\0", "")
    before = query_data.get("before")
    found = roster.people(db.session(), search=search, limit=limit + 1, before=before)
    return page_of(found, limit, **({"q": search} if search else {}))


@bp.get("/sessions")
@bp.doc(security=SECURITY)
@bp.input(PageQuery, location="query", unknown="raise")
@bp.output(schemas.AllSignInsOut, description="A page of sessions.", example=examples.ALL_SIGN_INS)
def all_sessions(query_data: dict[str, int]) -> dict[str, Any]:
    """List who is signed in, and where."""
    limit, now = query_data["limit"], datetime.now(UTC)
    before = query_data.get("before")
    return page_of(sign_ins.of_everybody(db.session(), now, limit=limit + 1, before=before), limit)


@bp.get(f"/<{ID}:account_id>")
@bp.doc(security=SECURITY)
@bp.output(schemas.OnePersonOut, description="The account.", example=examples.PERSON)
def person(account_id: int) -> Any:
    """Tell of one account."""
    return somebody(account_id)


@bp.post(f"/<{ID}:account_id>/role")
@bp.doc(responses=CONFLICT)
@bp.input(schemas.RoleIn, example={"role": "operator"})
@bp.output({}, 204, description="They have it.")
def give_role(account_id: int, json_data: dict[str, str]) -> tuple[str, int]:
    """Give somebody another role.

    It holds from their next request on. The only operator stays one.
    """
    account = somebody(account_id)
    email = account.email
    try:
        acts.give_role(account, json_data["role"])
    except LastOperatorError:
        abort(409, acts.LAST_OPERATOR.format(email=email))
    return "", 204


@bp.get(f"/<{ID}:account_id>/sessions")
@bp.doc(security=SECURITY)
@bp.input(PageQuery, location="query", unknown="raise")
@bp.output(schemas.SignInsOut, description="A page of sessions.", example=examples.SIGN_INS)
def sessions(account_id: int, query_data: dict[str, int]) -> dict[str, Any]:
    """List where somebody is signed in."""
    limit, now = query_data["limit"], datetime.now(UTC)
    of, before = somebody(account_id).id, query_data.get("before")
    found = sign_ins.of_account(db.session(), of, now, limit=limit + 1, before=before)
    return page_of(found, limit, account_id=account_id)


@bp.delete(f"/<{ID}:account_id>/sessions")
@bp.output({}, 204, description="They are signed out everywhere.")
def end_sessions(account_id: int) -> tuple[str, int]:
    """Sign somebody out everywhere."""
    acts.end_sign_ins(somebody(account_id))
    return "", 204


@bp.delete(f"/<{ID}:account_id>/sessions/<{ID}:session_id>")
@bp.output({}, 204, description="It has ended.")
def end_session(account_id: int, session_id: int) -> tuple[str, int]:
    """Sign somebody out in one browser."""
    if not acts.end_sign_in(somebody(account_id), session_id):
        abort(404, NO_SIGN_IN)
    return "", 204


@bp.post(f"/<{ID}:account_id>/lock")
@bp.doc(responses=CONFLICT)
@bp.output({}, 204, description="It is locked.")
def lock(account_id: int) -> tuple[str, int]:
    """Lock an account.

    They are signed out everywhere, and can't sign in. Your own and the last operator's can't be locked.
    """
    account = somebody(account_id)
    email = account.email
    try:
        acts.lock(account)
    except OneselfError:
        abort(409, acts.NOT_ONESELF)
    except LastOperatorError:
        abort(409, acts.LAST_OPERATOR.format(email=email))
    return "", 204


@bp.post(f"/<{ID}:account_id>/unlock")
@bp.output({}, 204, description="It is unlocked.")
def unlock(account_id: int) -> tuple[str, int]:
    """Unlock an account."""
    acts.unlock(somebody(account_id))
    return "", 204


def somebody(account_id: int) -> Account:
    """Return the account, or answer that there is none."""
    found = db.session.get(Account, account_id)
    if found is None:
        abort(404, NOBODY)
    return found


def page_of(found: Sequence[Any], limit: int, **query: Any) -> dict[str, Any]:
    """Return a page of them, and where the next one is."""
    items = found[:limit]
    link = link_to(limit=limit, before=items[-1].id, **query) if len(found) > limit else None
    return {"items": items, "next": link}
