"""Invitations, for operators' programs."""

from datetime import UTC, datetime
from typing import Any

from apiflask import Schema, abort
from apiflask.fields import URL, DateTime, Email, Integer, List, Nested, String
from apiflask.validators import OneOf

from web.accounts import accounts, registration, roster
from web.accounts.registration import NotOpenError
from web.accounts.tokens import Purpose
from web.addresses import AddressError, normalize
from web.api.blueprint import ID, SECURITY, blueprint
from web.api.console_people import page_of
from web.api.operators import require_operator
from web.api.paging import PageQuery
from web.console import invitations as page
from web.extensions import db
from web.models import MEMBER, OPERATOR

CONFLICT: Any = {409: {"description": "They have an account, or nobody may sign up."}}
EXAMPLE = {
    "id": 3,
    "email": "bob@example.org",
    "role": "member",
    "invited_by": "boss@example.org",
    "created_at": "2027-03-01T09:12:44+00:00",
    "expires_at": "2027-03-08T09:12:44+00:00",
}

bp = blueprint("console_invitations", __name__, "/console/invitations")
bp.before_request(require_operator)


class InvitationIn(Schema):
    """Whom to invite, and as what."""

    email = Email(required=True)
    role = String(load_default=MEMBER, validate=OneOf([MEMBER, OPERATOR]))


class InvitationOut(Schema):
    """An invitation that can be accepted."""

    id = Integer(required=True)
    email = String(required=True)
    role = String(required=True)
    invited_by = String(required=True, allow_none=True)
    created_at = DateTime(required=True)
    expires_at = DateTime(required=True)


class InvitationsOut(Schema):
    """A page of them, the newest first."""

    items = List(Nested(InvitationOut), required=True)
    next = URL(required=True, allow_none=True, metadata={"description": "null: the last"})


@bp.get("")
@bp.doc(security=SECURITY)
@bp.input(PageQuery, location="query", unknown="raise")
@bp.output(
    InvitationsOut,
    description="A page of invitations.",
    example={"items": [EXAMPLE], "next": None},
)
def invitations(query_data: dict[str, int]) -> dict[str, Any]:
    """List the invitations that nobody has accepted yet."""
    limit, before = query_data["limit"], query_data.get("before")
    found = roster.invitations(db.session(), datetime.now(UTC), limit=limit + 1, before=before)
    return page_of(found, limit)


@bp.post("")
@bp.doc(responses=CONFLICT)
@bp.input(InvitationIn, example={"email": "bob@example.org", "role": "member"})
@bp.output({}, 204, description="It is on its way.")
def invite(json_data: dict[str, str]) -> tuple[str, int]:
    """Mail an invitation, which replaces an older one to the same address."""
    try:
        registration.require_open(Purpose.INVITE)
        address = normalize(json_data["email"])
    except NotOpenError:
        abort(409, "Nobody can sign up, invited or not: REGISTRATION is closed.")
    except AddressError as error:
        abort(422, str(error))
    if accounts.by_email(db.session(), address):
        abort(409, "This person has an account already.")
    page.write_to(address, json_data["role"], datetime.now(UTC))
    return "", 204


@bp.delete(f"/<{ID}:invitation_id>")
@bp.output({}, 204, description="It works no more.")
def withdraw(invitation_id: int) -> tuple[str, int]:
    """Withdraw an invitation."""
    if page.take_back(invitation_id) is None:
        abort(404, "There is no open invitation of this id.")
    return "", 204
