"""Whether web is alive, and whether it can do its work."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from common.schema import HEAD
from web.extensions import db
from web.operation import edge
from web.sessions.interface import interface
from web.sessions.store import SessionStoreError

bp = Blueprint("health", __name__)


@dataclass(frozen=True, slots=True)
class Result:
    """How a check went, and how long it took."""

    ok: bool
    ms: float
    problem: str | None


@bp.get("/healthz")
def healthz() -> Response:
    """Answer that the process serves requests."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Answer 200 if all that a request needs is there, 503 with the reason if not."""
    return results_of({"database": database, "schema": schema, "sessions": sessions})


@bp.get("/edgez")
def edgez() -> tuple[Response, int]:
    """Answer the same of edge, which is on a network of ours alone; `/readyz` must not wait for it."""
    return results_of({"edge": edge.check})


def results_of(checks: dict[str, Callable[[], str | None]]) -> tuple[Response, int]:
    """Run the checks and answer what they found."""
    results = {name: run(check) for name, check in checks.items()}
    ready = all(result.ok for result in results.values())
    answer = {name: asdict(result) for name, result in results.items()}
    return jsonify(ready=ready, checks=answer), 200 if ready else 503


def run(check: Callable[[], str | None]) -> Result:
    """Run a check, which returns its problem or None, and time it."""
    started = time.perf_counter()
    problem = check()
    return Result(problem is None, round((time.perf_counter() - started) * 1000, 1), problem)


def database() -> str | None:
    """Ask the database something that needs no table."""
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        db.session.rollback()
        return f"no answer ({type(error).__name__})"
    return None


def schema() -> str | None:
    """Compare the database's revision with the one that this code was written for."""
    try:
        found = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError as error:
        db.session.rollback()
        return f"revision unknown ({type(error).__name__})"
    return None if found == HEAD else f"at revision {found}, this code needs {HEAD}; run migrate"


def sessions() -> str | None:
    """Write something where the sessions go."""
    try:
        interface().store.check()
    except SessionStoreError as error:
        return str(error)
    return None
