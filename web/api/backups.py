"""The backups, for operators' programs: the same that the console shows, and asks of the worker."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from apiflask import abort

from web.api import backups_schemas as schemas
from web.api.blueprint import ID, SECURITY, blueprint
from web.api.operators import require_operator
from web.api.paging import link_to
from web.console import asking
from web.console.backups import facts, overview, restoring, words
from web.console.backups.schema import NO_MOMENT
from web.console.jobs import find
from web.extensions import db

NO_BACKUP = "There is no such backup; ids are those of GET .../runs."
NO_JOB = "There is no such job of the backup worker."

bp = blueprint("console_backups", __name__, "/console/backups")
bp.before_request(require_operator)


@bp.get("")
@bp.doc(security=SECURITY)
@bp.output(schemas.BackupOverviewOut, description="How the backups do.", example=schemas.OVERVIEW)
def show() -> dict[str, Any]:
    """Tell how the backups do.

    What is wrong, the last proven one, what comes next, and each target with its window of instants.
    """
    known = overview.known(datetime.now(UTC))
    return {
        **known["standing"]._asdict(),
        "wrong": known["wrong"],
        "targets": [{**asdict(one), "days_left": one.days_left} for one in known["targets"]],
        "sizes": known["sizes"],
    }


@bp.get("/runs")
@bp.doc(security=SECURITY)
@bp.input(schemas.NamedPageQuery, location="query", unknown="raise")
@bp.output(schemas.BackupRunsOut, description="A page of runs.", example=schemas.RUNS)
def runs(query_data: dict[str, Any]) -> dict[str, Any]:
    """List the runs.

    The newest first, a page at a time: follow next until it is null.
    """
    return page(facts.runs, query_data)


@bp.get("/runs/<backup>")
@bp.doc(security=SECURITY)
@bp.output(schemas.OneBackupRunOut, description="One run.", example=schemas.RUN)
def run(backup: str) -> Any:
    """Tell of one run."""
    found = facts.run(db.session(), backup) if words.is_id(backup) else None
    return found or abort(404, NO_BACKUP)


@bp.get("/drills")
@bp.doc(security=SECURITY)
@bp.input(schemas.NamedPageQuery, location="query", unknown="raise")
@bp.output(schemas.BackupDrillsOut, description="A page of drills.", example=schemas.DRILLS)
def drills(query_data: dict[str, Any]) -> dict[str, Any]:
    """List the drills.

    The newest first, a page at a time: follow next until it is null.
    """
    return page(facts.drills, query_data)


@bp.get("/schema")
@bp.doc(security=SECURITY)
@bp.output(schemas.BackupHistoryOut, description="The changes.", example=schemas.HISTORY)
def schema() -> dict[str, Any]:
    """Tell when the database's schema changed.

    As the worker told it last: the job schema-log reads it anew, schema-diff compares two moments.
    """
    last = facts.last_answer(db.session(), "schema-log")
    return {"as_of": last.ended_at if last else None, "changes": last.answer if last else []}


@bp.get("/restore")
@bp.doc(security=SECURITY)
@bp.input(schemas.MomentQuery, location="query", unknown="raise")
@bp.output(schemas.BackupRestoreOut, description="The commands.", example=schemas.RESTORE)
def restore(query_data: dict[str, str]) -> dict[str, Any]:
    """Tell how to go back to a moment.

    The commands for a shell on the machine, and what comes of them. It is never done from here.
    """
    known = restoring.known(query_data["at"])
    if known["error"]:
        abort(422, known["error"])
    return known


@bp.post("/jobs")
@bp.doc(security=SECURITY)
@bp.input(schemas.BackupJobIn, location="json")
@bp.output(schemas.BackupAskedOut, 202, description="It waits for its turn.", example={"job": 42})
def ask(json_data: dict[str, Any]) -> dict[str, int]:
    """Ask the worker to do something.

    One thing is done at a time. Then look at jobs/{job_id} how far it has come.
    """
    verb = json_data.pop("verb")
    arguments = {name: json_data.get(name) for name in schemas.ARGUMENTS.get(verb, ())}
    if verb == "schema-diff" and not all(words.is_of_history(v) for v in given(arguments)):
        abort(422, NO_MOMENT)
    if verb == "verify":
        require_copy(arguments)
    subject = arguments.get("id") or verb
    return {"job": asking.queue("backup", verb, subject, **arguments).id}


@bp.get(f"/jobs/<{ID}:job_id>")
@bp.doc(security=SECURITY)
@bp.output(schemas.BackupJobOut, description="The job.", example=schemas.JOB)
def job(job_id: int) -> Any:
    """Tell how far something has come that was asked for."""
    found = find(job_id)
    return found if found and found.part == "backup" else abort(404, NO_JOB)


def page(read: Any, query: dict[str, Any]) -> dict[str, Any]:
    """Return a page of rows that have their place by name."""
    limit = query["limit"]
    rows = read(db.session(), limit + 1, query.get("before", ""))
    more = len(rows) > limit
    return {
        "items": rows[:limit],
        "next": link_to(limit=limit, before=rows[limit - 1].id) if more else None,
    }


def given(arguments: dict[str, Any]) -> list[str]:
    """Return the values that were given; the first one has to be."""
    one, other = arguments["one"] or "", arguments["other"]
    return [one, other] if other else [one]


def require_copy(arguments: dict[str, Any]) -> None:
    """Answer 404 where there is no such backup, or none at this target."""
    backup, target = arguments["id"], arguments["target"]
    if not backup:
        return
    found = facts.run(db.session(), backup)
    if found is None or (target and target not in found.copies):
        abort(404, NO_BACKUP)
