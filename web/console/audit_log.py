"""What operators have done: searched by who, what and when, and as a file."""

import json
from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, render_template, stream_with_context

from web.accounts import paging
from web.accounts.paging import ASKED
from web.console import audit_search, spreadsheet
from web.console.audit_search import Search
from web.extensions import db

COLUMNS = ("at", "email", "address", "action", "subject", "detail", "request_id")

bp = Blueprint("audit_log", __name__, url_prefix="/audit-log")


@bp.get("")
def show() -> str:
    """List it, the newest first."""
    search = audit_search.asked()
    found = db.session.execute(search.statement(paging.before()).limit(ASKED)).all()
    return render_template("console/audit_log.html", **paging.page(found), search=search)


@bp.get("/export")
def export() -> Response:
    """Send all of it that is asked for as CSV, while it is read."""
    lines = spreadsheet.lines(rows(audit_search.asked()))
    response = Response(stream_with_context(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
    return response


def rows(search: Search) -> Iterator[Iterable[object]]:
    """Yield the names of the columns, then each entry."""
    yield COLUMNS
    for entry in audit_search.every(search):
        detail = json.dumps(entry.detail, sort_keys=True) if entry.detail else ""
        at = entry.at.isoformat(timespec="seconds")
        what = (entry.email, entry.address, entry.action, entry.subject)
        yield (at, *what, detail, entry.request_id)
