"""What is done about backups: asked of the worker, written down, and watched on the job's page."""

from http import HTTPStatus

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from web.console import asking
from web.console.backups import facts, words
from web.extensions import db

SUBJECTS = {"take": "a new backup", "copy": "all targets", "drill": "all targets"}

bp = Blueprint("actions", __name__)


@bp.post("/<any(take, copy, drill):verb>")
def ask(verb: str) -> ResponseReturnValue:
    """Have a backup taken, copies made, or a restore rehearsed."""
    return asking.ask("backup", verb, SUBJECTS[verb])


@bp.post("/verify")
def verify() -> ResponseReturnValue:
    """Have a backup proven again: this one, or the newest; from this target, or the first that has it."""
    backup_id, target = request.form.get("id", ""), request.form.get("target", "")
    if backup_id or target:
        require_copy(backup_id, target)
    subject = backup_id or "the newest backup"
    return asking.ask("backup", "verify", subject, id=backup_id or None, target=target or None)


def require_copy(backup_id: str, target: str) -> None:
    """Answer 404 where there is no such backup, or none at this target."""
    found = facts.run(db.session(), backup_id) if words.is_id(backup_id) else None
    if found is None or (target and target not in found.copies):
        abort(HTTPStatus.NOT_FOUND)
