"""Every run, and one of them: what it holds, how long each step took, where it lies, what was verified."""

from http import HTTPStatus

from flask import Blueprint, abort, render_template, request

from web.accounts import paging
from web.accounts.paging import ASKED
from web.console.backups import facts, words
from web.extensions import db

bp = Blueprint("runs", __name__, url_prefix="/runs")


@bp.get("")
def show() -> str:
    """List them, the newest first."""
    return render_template(
        "console/backups/runs.html", **paging.page(facts.runs(db.session(), ASKED, before()))
    )


@bp.get("/<backup_id>")
def one(backup_id: str) -> str:
    """Show one."""
    found = facts.run(db.session(), backup_id) if words.is_id(backup_id) else None
    return render_template("console/backups/run.html", run=found or abort(HTTPStatus.NOT_FOUND))


def before() -> str:
    """Return the last id of the page before this one; an id of a drill has more behind the time."""
    given = request.args.get("before", "")[: words.LONGEST]
    return given if words.is_id(given[:15]) and "\0" not in given else ""
