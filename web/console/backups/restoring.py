"""How to put something back: the exact commands, and what comes of them. It is never done from here."""

from typing import Any

from flask import Blueprint, render_template, request

from web.console.backups import commands, facts, words
from web.extensions import db

NO_MOMENT = "Write an instant such as 2026-11-22 14:03:00Z, a backup's id, latest or end."

bp = Blueprint("restoring", __name__, url_prefix="/restore")


@bp.get("")
def show() -> str:
    """Show the commands for the latest proven backup, or the moment that is asked for."""
    return render_template("console/backups/restore.html", **known(asked()))


def asked() -> str:
    """Return what somebody wrote."""
    return request.args.get("at", "").replace("\0", "").strip()[: words.LONGEST] or "latest"


def known(given: str) -> dict[str, Any]:
    """Return the commands, what comes of them, and where the moment can be restored from."""
    moment, session = words.moment(given), db.session()
    return {
        "given": given,
        "error": None if moment else NO_MOMENT,
        "moment": moment,
        "commands": commands.of_moment(moment) if moment else [],
        "consequences": commands.CONSEQUENCES,
        "why_not_here": commands.WHY_NOT_HERE,
        "run": facts.run(session, given) if words.is_id(given) else None,
        "is_id": words.is_id(given),
        "at": words.instant(given) if moment and not words.is_id(given) else None,
        "targets": facts.targets(session),
    }
