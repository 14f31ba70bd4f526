"""Who asks, and where else they are signed in."""

from datetime import UTC, datetime
from typing import Any

from apiflask import Schema, abort
from apiflask.fields import URL, Boolean, DateTime, Email, Integer, List, Nested, String
from apiflask.validators import OneOf
from flask import request
from flask_wtf.csrf import generate_csrf

from web.accounts import sign_ins
from web.accounts.current import sign_out
from web.api.blueprint import ID, SECURITY, TOKEN_HEADER, blueprint, somebody
from web.api.paging import PageQuery, link_to
from web.extensions import db
from web.models import MEMBER, OPERATOR, SignIn

EXAMPLE = {
    "id": 7,
    "email": "ada@example.org",
    "role": "member",
    "session_id": 42,
    "signed_in_at": "2027-03-01T09:12:44+00:00",
    "csrf_token": "IjY4ZTQ1Y2Ii.aaK0Xg.m3Tt8fYxW1",
}
EXAMPLE_OF_SESSION = {
    "id": 42,
    "current": True,
    "started_at": "2027-03-01T09:12:44+00:00",
    "seen_at": "2027-03-01T09:30:00+00:00",
    "expires_at": "2027-03-01T21:12:44+00:00",
    "address": "203.0.113.7",
    "agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0",
}

bp = blueprint("me", __name__, "/me")


class MeOut(Schema):
    """Who is signed in."""

    id = Integer(required=True)
    email = Email(required=True)
    role = String(required=True, validate=OneOf([MEMBER, OPERATOR]))
    session_id = Integer(required=True, metadata={"description": "of this session, in me/sessions"})
    signed_in_at = DateTime(required=True)
    csrf_token = String(
        required=True,
        metadata={"description": f"to send as {TOKEN_HEADER} with what changes something"},
    )


class SessionOut(Schema):
    """One browser in which somebody is signed in."""

    id = Integer(required=True)
    current = Boolean(required=True, metadata={"description": "whether it is the one that asks"})
    started_at = DateTime(required=True)
    seen_at = DateTime(required=True, metadata={"description": "to within five minutes"})
    expires_at = DateTime(required=True, metadata={"description": "when it ends in any case"})
    address = String(required=True)
    agent = String(required=True, metadata={"description": "what the browser says it is"})


class SessionsOut(Schema):
    """A page of sessions, the newest first."""

    items = List(Nested(SessionOut), required=True)
    next = URL(
        required=True,
        allow_none=True,
        metadata={"description": "the next page; null: this is the last"},
    )


@bp.before_request
def require_somebody() -> None:
    """Answer 401 to who is nobody, before anything else is looked at; browsers ask OPTIONS as nobody."""
    if request.method != "OPTIONS":
        somebody()


@bp.get("")
@bp.doc(security=SECURITY)
@bp.output(MeOut, description="Who is signed in.", example=EXAMPLE)
def show() -> dict[str, Any]:
    """Tell who is signed in.

    The csrf_token is good for an hour; ask again for another.
    """
    me = somebody()
    return {
        "id": me.account_id,
        "email": me.email,
        "role": me.role,
        "session_id": me.sign_in_id,
        "signed_in_at": me.started_at,
        "csrf_token": generate_csrf(),
    }


@bp.get("/sessions")
@bp.doc(security=SECURITY)
@bp.input(PageQuery, location="query", unknown="raise")  # a mistyped name would be a wrong page
@bp.output(
    SessionsOut,
    description="A page of sessions.",
    example={"items": [EXAMPLE_OF_SESSION], "next": None},
    headers={"Link": String(metadata={"description": "the next page, as in RFC 8288"})},
)
def sessions(query_data: dict[str, int]) -> tuple[dict[str, Any], dict[str, str]]:
    """List where they are signed in.

    The newest first, a page at a time: follow next until it is null.
    """
    me, limit = somebody(), query_data["limit"]
    rows = sign_ins.of_account(
        db.session(),
        me.account_id,
        datetime.now(UTC),
        limit=limit + 1,
        before=query_data.get("before"),
    )
    page = rows[:limit]
    link = link_to(limit=limit, before=page[-1].id) if len(rows) > limit else None
    items = [as_item(row, me.sign_in_id) for row in page]
    return {"items": items, "next": link}, {"Link": f'<{link}>; rel="next"'} if link else {}


def as_item(row: SignIn, current_id: int) -> dict[str, Any]:
    """Return what is told of a session: not its key, and not its account."""
    told = {name: getattr(row, name) for name in SessionOut().fields if name != "current"}
    return {**told, "current": row.id == current_id}


@bp.delete(f"/sessions/<{ID}:session_id>")
@bp.doc(security=SECURITY)
@bp.output({}, 204, description="It has ended.")
def end_session(session_id: int) -> tuple[str, int]:
    """Sign out one session.

    The browser that had it is signed out from its next request on. It may be the one that asks.
    """
    me = somebody()
    if session_id == me.sign_in_id:
        sign_out()
    elif sign_ins.end(db.session(), me.account_id, session_id):
        db.session.commit()
    else:
        abort(404, "You have no session of this id; it may have ended already.")
    return "", 204
