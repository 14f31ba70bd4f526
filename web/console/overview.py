"""The first page of the console: is anything wrong, and what should I do."""

from flask import Blueprint, current_app, render_template, url_for

from web.console import facts, findings
from web.console.findings import Action
from web.extensions import db

bp = Blueprint("overview", __name__)


@bp.get("")
def show() -> str:
    """Show what was found, the worst first; where nothing is wrong, since when."""
    known = facts.read(db.session())
    found = findings.judge(known)
    return render_template(
        "console/overview.html",
        findings=found,
        is_well=findings.is_well(found),
        facts=known,
        place_of=place_of,
    )


def place_of(action: Action) -> str | None:
    """Return the address of the page to act on, or None where a command is all that there is."""
    if action.endpoint not in current_app.view_functions:
        return None
    return url_for(action.endpoint, state=action.state)
