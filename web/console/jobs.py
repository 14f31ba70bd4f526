"""One thing that another part was asked to do: how far it has come, live, and what came of it."""

from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, render_template
from sqlalchemy import Row, select

from common.schema import jobs
from web.api.blueprint import ID
from web.console import streaming
from web.console.streaming import Shown
from web.extensions import reading

ENDED = {"done", "failed"}

bp = Blueprint("jobs", __name__, url_prefix="/jobs")


@bp.get(f"/<{ID}:number>")
def show(number: int) -> str:
    """Show one."""
    return render_template("console/job.html", job=find(number) or abort(HTTPStatus.NOT_FOUND))


@bp.get(f"/<{ID}:number>/events")
def events(number: int) -> Response:
    """Send it anew each time it changes, until it has ended."""
    return streaming.respond(partial(look, number))


def look(number: int) -> Shown | None:
    """Return how it is now."""
    job = find(number)
    if job is None:
        return None
    return Shown(render_template("console/job_body.html", job=job), job.state in ENDED)


def find(number: int) -> Row[Any] | None:
    """Return the job; no transaction is held while the browser reads."""
    with reading() as connection:
        return connection.execute(select(jobs).where(jobs.c.id == number)).one_or_none()
