"""All pages about backups, under /console/backups."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint

from web.console.backups import actions, drills, overview, restoring, runs, schema, words

bp = Blueprint("backups", __name__, url_prefix="/backups")
bp.get("")(overview.show)
for module in (runs, drills, schema, restoring, actions):
    bp.register_blueprint(module.bp)


@bp.context_processor
def helpers() -> dict[str, Any]:
    """Give the templates of these pages their words."""
    return {"words": words, "now": datetime.now(UTC)}
