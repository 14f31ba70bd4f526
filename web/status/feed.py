"""The notices as an Atom feed: an entry for each update, so that readers hear of every one."""

import re
from datetime import UTC, datetime

from flask import Blueprint, Response, current_app, render_template

from web.caching.pages import cached
from web.extensions import db
from web.status import notices
from web.status.known import AWAY_SECONDS, STALE_SECONDS

MEDIA_TYPE = "application/atom+xml"
FRESH_SECONDS = 60
CACHE_CONTROL = "public, max-age=60"
NO_NEWS = datetime(2026, 1, 1, tzinfo=UTC)  # a feed without entries has a date too, and no new one
NOT_FOR_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

bp = Blueprint("status_feed", __name__)


@bp.get("/feed.atom")
@cached(
    fresh_seconds=FRESH_SECONDS,
    stale_seconds=STALE_SECONDS,
    stale_on_error_seconds=AWAY_SECONDS,
    on=(notices.TAG,),
)
def show() -> Response:
    """Answer with the newest updates."""
    updates = notices.read_updates(db.session())
    xml = render_template(
        "status/feed.xml",
        updates=updates,
        updated=updates[0].at if updates else NO_NEWS,
        site=current_app.config["BASE_URL"],
    )
    response = Response(xml, content_type=f"{MEDIA_TYPE}; charset=utf-8")
    response.headers["Cache-Control"] = CACHE_CONTROL
    return response


@bp.app_template_filter("for_xml")
def for_xml(text: str) -> str:
    """Return the text without the characters that XML has no way to write."""
    return NOT_FOR_XML.sub("", text)
