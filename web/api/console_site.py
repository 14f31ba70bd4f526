"""How this site does, for operators' programs: the same that the console's pages show."""

from dataclasses import asdict
from typing import Any

from apiflask import abort
from flask import current_app

from common.schema import HEAD
from web.api import console_examples as examples
from web.api import console_schemas as schemas
from web.api.blueprint import SECURITY, blueprint
from web.api.console_people import page_of
from web.api.operators import require_operator
from web.caching import counted
from web.caching.extension import keeper
from web.console import cache as cache_page
from web.console import facts, findings, settings_shown
from web.console import limits as limits_page
from web.console.audit_search import Search
from web.console.statements import without_values
from web.extensions import db
from web.limits import blocked, breach_figures
from web.operation import database as database_known
from web.operation import pool

bp = blueprint("console_site", __name__, "/console")
bp.before_request(require_operator)


@bp.get("/overview")
@bp.doc(security=SECURITY)
@bp.output(schemas.FindingsOut, description="What was found.", example=examples.FINDINGS)
def overview() -> dict[str, Any]:
    """Tell what is wrong, and what to do about it."""
    known = facts.read(db.session())
    found = findings.judge(known)
    return {
        "at": known.at,
        "well": findings.is_well(found),
        "well_since": known.well_since,
        "findings": [
            {
                "weight": one.weight.value,
                "title": one.title,
                "words": one.words,
                "action": one.action.label,
                "command": one.action.command,
            }
            for one in found
        ],
    }


@bp.get("/limits")
@bp.doc(security=SECURITY)
@bp.output(schemas.LimitsOut, description="The breaches of a day.", example=examples.LIMITS)
def limits() -> dict[str, Any]:
    """Tell who met which rate limit, and who is refused now."""
    day = breach_figures.read(db.session())
    refused = [
        {"who": one.client.who, "rule": one.client.rule, "until": one.until}
        for one in limits_page.refused_now(day)
    ]
    return {**asdict(day), "refused": refused}


@bp.post("/limits/clear")
@bp.input(schemas.ClearIn, example={"who": "203.0.113.7", "rule": "site"})
@bp.output(schemas.ClearedOut, description="What came of it.", example={"cleared": True})
def clear_limit(json_data: dict[str, str]) -> dict[str, bool]:
    """Let somebody through again.

    Without a store that processes share, by the process that answers.
    """
    rule = json_data["rule"]
    if not blocked.limits_of(current_app, rule):
        abort(422, "There is no such rule; see the refused of GET .../limits.")
    return {"cleared": limits_page.let_through(rule, json_data["who"])}


@bp.get("/cache")
@bp.doc(security=SECURITY)
@bp.output(schemas.CacheOut, description="The cache.", example=examples.CACHE)
def cache() -> dict[str, Any]:
    """Tell what the cache keeps, and how well that serves.

    What is kept is that of the process that answers, unless they share it.
    """
    store = keeper().store
    sizes = store.sizes(cache_page.MOST)
    return {
        "shared": store.is_shared,
        "use": [asdict(one) for one in counted.read()],
        "kept": [{"name": name, "bytes": size} for name, size in sizes.items()],
    }


@bp.post("/cache/clear")
@bp.output({}, 204, description="It is empty.")
def clear_cache() -> tuple[str, int]:
    """Forget all that is kept."""
    if not cache_page.forget_all():
        abort(503, cache_page.AWAY, headers={"Retry-After": "2"})
    return "", 204


@bp.post("/cache/void")
@bp.input(schemas.TagIn, example={"tag": "notices"})
@bp.output({}, 204, description="It is void.")
def void_tag(json_data: dict[str, str]) -> tuple[str, int]:
    """Forget what was made on a tag."""
    cache_page.forget(json_data["tag"])
    return "", 204


@bp.get("/database")
@bp.doc(security=SECURITY)
@bp.output(schemas.DatabaseOut, description="The database.", example=examples.DATABASE)
def database() -> dict[str, Any]:
    """Tell of connections and their TLS, sizes, and what is under way."""
    known = database_known.read(db.session())
    in_use, most = pool.in_use()
    connections = [
        {**asdict(one), "statement": without_values(one.query or "")} for one in known.connections
    ]
    return {
        **asdict(known),
        "connections": connections,
        "head": HEAD,
        "in_use": in_use,
        "most": most,
    }


@bp.get("/configuration")
@bp.doc(security=SECURITY)
@bp.output(schemas.ConfigurationOut, description="The settings.", example=examples.CONFIGURATION)
def configuration() -> dict[str, Any]:
    """Tell what web was told; of a secret, only its length."""
    settings = settings_shown.known()
    return {
        "settings": [asdict(one) for one in settings_shown.shown(settings)],
        "refused_in_production": settings.unsafe_in_production(),
    }


@bp.get("/audit-log")
@bp.doc(security=SECURITY)
@bp.input(schemas.AuditQuery, location="query", unknown="raise")
@bp.output(schemas.AuditLogOut, description="A page of entries.", example=examples.AUDIT_LOG)
def audit_log(query_data: dict[str, Any]) -> dict[str, Any]:
    """List what operators did.

    The newest first, a page at a time: follow next until it is null.
    """
    words = {name: query_data.get(name, "").replace("\0", "") for name in ("who", "action")}
    search = Search(**words, day=query_data.get("day"))
    limit, before = query_data["limit"], query_data.get("before")
    found = db.session.execute(search.statement(before).limit(limit + 1)).all()
    return page_of(found, limit, **search.arguments)
