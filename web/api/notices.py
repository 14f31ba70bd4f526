"""What is wrong or planned, and what was, for programs."""

from collections.abc import Sequence
from typing import Any

from apiflask import Schema
from apiflask.fields import URL, DateTime, Integer, List, Nested, String
from apiflask.validators import OneOf
from flask import current_app, url_for

from web.api.blueprint import ID, blueprint
from web.api.paging import PageQuery, link_to
from web.api.status import SAME
from web.caching.pages import cached
from web.extensions import db
from web.models import Notice
from web.notices import pages, published
from web.notices.notices import TAG
from web.notices.pages import FRESH_SECONDS, STALE_ON_ERROR_SECONDS
from web.notices.states import KINDS, PARTS, STATES

EXAMPLE: dict[str, Any] = {
    "id": 7,
    "kind": "incident",
    "title": "Mail is delayed",
    "state": "monitoring",
    "parts": ["Mail"],
    "begins_at": None,
    "ends_at": None,
    "published_at": "2027-03-01T09:12:44+00:00",
    "resolved_at": None,
    "url": "https://status.example.org/notices/7",
    "updates": [
        {
            "id": 12,
            "state": "monitoring",
            "words": "Our relay takes mail again.",
            "written_at": "2027-03-01T09:40:00+00:00",
        },
        {
            "id": 11,
            "state": "investigating",
            "words": "Our relay answers slowly. Nothing is lost.",
            "written_at": "2027-03-01T09:12:44+00:00",
        },
    ],
}

bp = blueprint("notices_api", __name__, "/notices")


class NoticeUpdateOut(Schema):
    """How a notice went on."""

    id = Integer(required=True)
    state = String(required=True, validate=OneOf(list(STATES)))
    words = String(required=True, metadata={"description": "plain text"})
    written_at = DateTime(required=True)


class NoticeOut(Schema):
    """An incident, or maintenance with its hours."""

    id = Integer(required=True)
    kind = String(required=True, validate=OneOf(list(KINDS)))
    title = String(required=True)
    state = String(
        required=True,
        validate=OneOf(list(STATES)),
        metadata={"description": "that of the newest update"},
    )
    parts = List(String(validate=OneOf(PARTS)), required=True)
    begins_at = DateTime(required=True, allow_none=True)
    ends_at = DateTime(required=True, allow_none=True)
    published_at = DateTime(required=True)
    resolved_at = DateTime(
        required=True, allow_none=True, metadata={"description": "null: it is open"}
    )
    url = URL(required=True, metadata={"description": "its page"})
    updates = List(
        Nested(NoticeUpdateOut), required=True, metadata={"description": "the newest first"}
    )


class OneNoticeOut(NoticeOut):
    """A notice, by itself: apispec names a schema once, for a list or for one alone."""


class NoticesOut(Schema):
    """A page of notices, the newest first."""

    items = List(Nested(NoticeOut), required=True)
    next = URL(
        required=True,
        allow_none=True,
        metadata={"description": "the next page; null: this is the last"},
    )


@bp.get("")
@bp.doc(responses=SAME)
@bp.input(PageQuery, location="query", unknown="raise")  # outside: its values are in the page's key
@cached(
    fresh_seconds=FRESH_SECONDS,
    stale_on_error_seconds=STALE_ON_ERROR_SECONDS,
    on=(TAG,),
    query=("limit", "before"),
)
@bp.output(
    NoticesOut,
    description="A page of notices.",
    example={"items": [EXAMPLE], "next": None},
    headers={"ETag": String(), "Link": String(metadata={"description": "the next page"})},
)
def show_all(query_data: dict[str, int]) -> tuple[dict[str, Any], dict[str, str]]:
    """List notices, open and past.

    The newest first, a page at a time: follow next until it is null.
    """
    limit, before = query_data["limit"], query_data.get("before")
    found = published.newest(db.session(), limit=limit + 1, before=before)
    return page_of(found, limit, [as_item(notice) for notice in found])


@bp.get(f"/<{ID}:notice_id>")
@cached(fresh_seconds=FRESH_SECONDS, stale_on_error_seconds=STALE_ON_ERROR_SECONDS, on=(TAG,))
@bp.doc(responses=SAME)
@bp.output(OneNoticeOut, description="The notice.", example=EXAMPLE, headers={"ETag": String()})
def show(notice_id: int) -> dict[str, Any]:
    """Tell of one notice, with all of its updates."""
    return as_item(pages.found(db.session(), notice_id))


def page_of(
    found: Sequence[Notice], limit: int, items: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a page of a list of which one more was asked for than is shown."""
    link = link_to(limit=limit, before=found[limit - 1].id) if len(found) > limit else None
    headers = {"Link": f'<{link}>; rel="next"'} if link else {}
    return {"items": items[:limit], "next": link}, headers


def as_item(notice: Notice) -> dict[str, Any]:
    """Return what is told of a notice."""
    columns = ("id", "kind", "title", "parts", "begins_at", "ends_at", "published_at")
    told = {name: getattr(notice, name) for name in (*columns, "resolved_at")}
    path = url_for("notices.show", notice_id=notice.id)
    return {
        **told,
        "state": notice.updates[-1].state,
        "url": current_app.config["BASE_URL"] + path,
        "updates": [as_update(update) for update in reversed(notice.updates)],
    }


def as_update(update: Any) -> dict[str, Any]:
    """Return what is told of an update."""
    return {name: getattr(update, name) for name in ("id", "state", "words", "written_at")}
