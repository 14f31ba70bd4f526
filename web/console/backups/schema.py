"""The history of the schema: when it changed, and how two moments differ; the worker is asked for both."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from wtforms import StringField, ValidationError

from web.console import asking
from web.console.backups import facts, words
from web.extensions import db
from web.forms import PageForm

MOST = 50  # changes on a page
NO_MOMENT = "Write a backup's id, a day, an instant (UTC), or a commit."

bp = Blueprint("schema", __name__, url_prefix="/schema")


class CompareForm(PageForm):
    """Two moments; no other one is the newest."""

    one = StringField("From")
    other = StringField("To, or nothing for the newest")

    def validate_one(self, field: StringField) -> None:
        """Refuse what the history can't know."""
        require_moment(field)

    def validate_other(self, field: StringField) -> None:
        """Likewise; nothing is the newest."""
        if field.data:
            require_moment(field)


def require_moment(field: StringField) -> None:
    """Take a moment, or raise a ValidationError."""
    field.data = (field.data or "").strip()[: words.LONGEST]
    if not words.is_of_history(field.data):
        raise ValidationError(NO_MOMENT)


@bp.get("")
def show() -> str:
    """Show the history as the worker told it last, and ask how two moments differ."""
    return page(CompareForm())


@bp.post("")
def look() -> ResponseReturnValue:
    """Have the worker read the history anew."""
    return asking.ask("backup", "schema-log", "schema")


@bp.post("/differences")
def compare() -> ResponseReturnValue:
    """Have the worker compare; its answer is on the job's page."""
    form = CompareForm()
    if not form.validate_on_submit():
        return page(form), HTTPStatus.BAD_REQUEST
    one, other = form.one.data, form.other.data or None
    return asking.ask("backup", "schema-diff", "schema", one=one, other=other)


def page(form: CompareForm) -> str:
    """Return the page."""
    last = facts.last_answer(db.session(), "schema-log")
    changes = last.answer if last else []
    return render_template(
        "console/backups/schema.html",
        form=form,
        last=last,
        changes=with_former(changes)[:MOST],
        hidden=max(0, len(changes) - MOST),
    )


def with_former(changes: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return each change with the commit of the one before it; the list has the newest first."""
    formers = [change["commit"] for change in changes[1:]]
    return [
        {**change, "former": former}
        for change, former in zip(changes, [*formers, None], strict=False)
    ]
