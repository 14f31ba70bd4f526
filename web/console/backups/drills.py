"""The rehearsals: parts of repositories that were read anew, instants that were restored."""

from flask import Blueprint, render_template

from web.accounts import paging
from web.accounts.paging import ASKED
from web.console.backups import facts, runs
from web.extensions import db

bp = Blueprint("drills", __name__, url_prefix="/drills")


@bp.get("")
def show() -> str:
    """List them, the newest first."""
    found = facts.drills(db.session(), ASKED, runs.before())
    return render_template("console/backups/drills.html", **paging.page(found))
