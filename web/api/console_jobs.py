"""What other parts were asked to do, and what came of it, for programs of operators."""

from typing import Any

from apiflask import Schema, abort
from apiflask.fields import Boolean, DateTime, Dict, Integer, List, Nested, String
from apiflask.validators import OneOf

from web.api.blueprint import ID, SECURITY, blueprint
from web.api.operators import require_operator
from web.console import jobs

bp = blueprint("console_jobs", __name__, "/console/jobs")
bp.before_request(require_operator)


class StepOut(Schema):
    """How far it came."""

    at = String(required=True)
    said = String(required=True)
    ok = Boolean(required=True)


class ConsoleJobOut(Schema):
    """What was asked; `answer` is there once it has ended, and holds `error` where it failed."""

    id = Integer(required=True)
    part = String(required=True)
    verb = String(required=True)
    state = String(required=True, validate=OneOf(["waiting", "running", "done", "failed"]))
    asked_at = DateTime(required=True)
    began_at = DateTime(required=True, allow_none=True)
    ended_at = DateTime(required=True, allow_none=True)
    steps = List(Nested(StepOut), required=True)
    answer = Dict(required=True, allow_none=True)


@bp.get(f"/<{ID}:job_id>")
@bp.doc(security=SECURITY)
@bp.output(ConsoleJobOut, description="How far it has come.")
def show(job_id: int) -> Any:
    """Tell how far something has come that another part was asked to do."""
    found = jobs.find(job_id)
    if found is None:
        abort(404, "There is no such job.")
    return found
