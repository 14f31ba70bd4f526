"""Who asks: the person who is signed in in this browser."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import abort, current_app, g, redirect, request, session, url_for

from web.accounts import sign_ins
from web.accounts.sign_ins import SignedIn, Visit
from web.exchange import stale_forms
from web.extensions import db, reading
from web.models import OPERATOR, Account
from web.sessions.interface import end, rotate

KEY, ACCOUNT, ROLE = "sign_in", "account", "role"  # in the session
View = Callable[..., Any]


def current() -> SignedIn | None:
    """Return who is signed in, or None. Asks the database once in a request."""
    if "signed_in" not in g:
        g.signed_in = recognise()
    found: SignedIn | None = g.signed_in
    return found


def who() -> SignedIn:
    """Return who is signed in, in a view that is only for who is."""
    found = current()
    if found is None:
        raise LookupError("nobody is signed in; the view lacks @signed_in_only")
    return found


def recognise() -> SignedIn | None:
    """Return whose sign-in the session names; a session whose sign-in has ended ends, too."""
    key = session.get(KEY)
    if not isinstance(key, str):
        return None
    now = datetime.now(UTC)
    with reading() as connection:
        found = sign_ins.find(connection, key, now)
    if found is None:
        end()
        return None
    if session.get(ROLE) != found.role:
        session[ROLE] = found.role
        rotate()
    if sign_ins.touch(db.session(), found, now):
        db.session.commit()
    return found


def sign_in(account: Account, now: datetime) -> None:
    """Sign them in in this browser, with a new session; the caller commits.

    The account is as it was when the password was checked.
    """
    lifetime = timedelta(seconds=current_app.config["SESSION_ABSOLUTE_LIFETIME"])
    before = session.get(KEY)
    key = sign_ins.begin(db.session(), account, visit(), now, lifetime)
    if isinstance(before, str):  # or it would stand in the list of its account until it expires
        sign_ins.end_key(db.session(), before)
    sign_ins.sweep(db.session(), now)
    session.clear()
    session.update({KEY: key, ACCOUNT: account.id, ROLE: account.role})
    rotate()
    g.pop("signed_in", None)


def sign_out() -> None:
    """Sign them out in this browser; commits."""
    found = current()
    if found is not None:
        sign_ins.end(db.session(), found.account_id, found.sign_in_id)
        db.session.commit()
    end()
    g.signed_in = None


def visit() -> Visit:
    """Return where this request comes from."""
    return Visit(request.remote_addr or "", request.headers.get("User-Agent", ""))


def signed_in_only(view: View) -> View:
    """Show the view to who is signed in; send others to sign in, and back here after it.

    What they typed would be lost on that way: a form that holds some comes back, to be sent once they are.
    """

    @wraps(view)
    def shown(*args: Any, **given: Any) -> Any:
        if current() is not None:
            return view(*args, **given)
        here = request.full_path.removesuffix("?") if request.method in {"GET", "HEAD"} else None
        if here is None and stale_forms.holds_words():
            return stale_forms.page(signed_out=True), stale_forms.STATUS
        return redirect(url_for("sign_in.form", next=here), HTTPStatus.SEE_OTHER)

    return shown


def operators_only(view: View) -> View:
    """Show the view to operators; to others it is not there."""

    @wraps(view)
    def shown(*args: Any, **given: Any) -> Any:
        found = current()
        if found is None or found.role != OPERATOR:
            abort(HTTPStatus.NOT_FOUND)
        return view(*args, **given)

    return signed_in_only(shown)
