"""What the cache keeps and how well that serves, and an end to what it keeps."""

from http import HTTPStatus

import structlog
from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from web.accounts.current import who
from web.caching import counted, tags
from web.caching.extension import keeper
from web.console import audit
from web.extensions import db

MOST = 200
LONGEST_TAG = 100
AWAY = "The cache's store is away; what it keeps is not shown to anybody meanwhile."

log = structlog.get_logger(__name__)

bp = Blueprint("cache", __name__, url_prefix="/cache")


@bp.get("")
def show() -> str:
    """Show what is kept, the largest first, and how often each view and query was answered with it."""
    store = keeper().store
    sizes = sorted(store.sizes(MOST).items(), key=lambda one: one[1], reverse=True)
    return render_template(
        "console/cache.html",
        sizes=sizes,
        most=MOST,
        kind=current_app.config["CACHE_TYPE"].rpartition(".")[2],
        is_shared=store.is_shared,
        figures=counted.read(),
    )


@bp.post("/clear")
def clear() -> ResponseReturnValue:
    """Forget everything."""
    if forget_all():
        flash("The cache is empty; each page is made anew once.")
    else:
        flash(AWAY, "error")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


@bp.post("/void")
def void() -> ResponseReturnValue:
    """Forget what was made on a tag."""
    tag = request.form.get("tag", "").strip()[:LONGEST_TAG]
    if tag:
        forget(tag)
        flash(f"What was made on {tag!r} is void.")
    else:
        flash("Please name a tag.", "error")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


def forget_all() -> bool:
    """Forget everything; return False where the store is away."""
    if not keeper().store.empty():
        return False
    audit.record(db.session(), "cache.clear", "all")
    db.session.commit()
    log.info("cache cleared", by=who().account_id)
    return True


def forget(tag: str) -> None:
    """Forget what was made on a tag."""
    audit.record(db.session(), "cache.void", tag)
    tags.invalidate_after_commit(db.session, tag)
    db.session.commit()
    log.info("cache tag voided", tag=tag, by=who().account_id)
