"""The addresses that get no more mail: of a kind, or none at all."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, Row, select, tuple_

from common.outbox import LONGEST_ADDRESS, is_address
from common.schema import mail_suppressions
from web.accounts.paging import ASKED, SHOWN
from web.console import asking
from web.console.mail.overview import field
from web.extensions import reading
from web.mail.kinds import KINDS

EVERYTHING = "*"
COLUMNS = mail_suppressions.c

bp = Blueprint("mail_suppressions", __name__, url_prefix="/mail/suppressions")


@bp.get("")
def show() -> str:
    """List them, by address; `q` is how the address begins."""
    q = cleaned("q")
    after = cleaned("after"), cleaned("scope")
    with reading() as connection:
        found = find(connection, q, ASKED, after)
    return render_template(
        "console/mail/suppressions.html",
        rows=found[:SHOWN],
        last=found[SHOWN - 1] if len(found) > SHOWN else None,
        q=q,
        kinds=sorted(KINDS),
    )


def cleaned(name: str) -> str:
    """Return a value of the query as the database takes it."""
    return request.args.get(name, "").replace("\0", "").strip()[:LONGEST_ADDRESS]


def find(
    connection: Connection, q: str, limit: int, after: tuple[str, str] = ("", "")
) -> Sequence[Row[Any]]:
    """Return so many of them after this one, in the order of their key."""
    statement = select(mail_suppressions).order_by(COLUMNS.address, COLUMNS.scope).limit(limit)
    if q:
        statement = statement.where(COLUMNS.address.startswith(q.lower(), autoescape=True))
    if after[0]:
        statement = statement.where(tuple_(COLUMNS.address, COLUMNS.scope) > after)
    return connection.execute(statement).all()


@bp.post("")
def suppress() -> ResponseReturnValue:
    """Send an address no more mail."""
    address, scope = field("address"), field("scope") or EVERYTHING
    if not is_address(address):
        flash(f"Not an address that mail can be sent to: {address[:80]}", "error")
        return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)
    reason = field("reason") or "by an operator"
    return asking.ask("mailer", "suppress", address, address=address, scope=scope, reason=reason)


@bp.post("/end")
def unsuppress() -> ResponseReturnValue:
    """Let mail through to an address again."""
    address, scope = field("address"), field("scope") or EVERYTHING
    return asking.ask("mailer", "unsuppress", address, address=address, scope=scope)
