"""What the endpoints for operators take and tell of notices."""

from datetime import UTC

from apiflask import Schema
from apiflask.fields import AwareDateTime, DateTime, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range

from web.api.notices import EXAMPLE, NoticeOut, NoticesOut, NoticeUpdateOut
from web.exchange.numbers import LARGEST
from web.notices.draft import LONGEST_TITLE, LONGEST_WORDS
from web.notices.states import KINDS, PARTS, STATES

DRAFT_EXAMPLE = {
    name: EXAMPLE[name] for name in ("kind", "title", "parts", "begins_at", "ends_at")
} | {"words": "Our relay answers slowly. Nothing is lost."}
MAIL_EXAMPLE = {"total": 120, "done": 80, "states": {"sent": 79, "dead": 1, "queued": 40}}
PREVIEW_EXAMPLE = {
    "subject": "Incident: Mail is delayed",
    "text": "Investigating.\nConcerns: Mail.\n\nOur relay answers slowly. Nothing is lost.",
    "html": "<!doctype html>...",
}
FOR_OPERATORS_EXAMPLE = EXAMPLE | {
    "created_at": "2027-03-01T09:10:02+00:00",
    "version": None,
    "updates": [update | {"mail": MAIL_EXAMPLE} for update in EXAMPLE["updates"]],
}


class SendingOut(Schema):
    """How far the mail of an update has come."""

    total = Integer(required=True)
    done = Integer(required=True, metadata={"description": "that wait no more"})
    states = Dict(keys=String(), values=Integer(), required=True)


class MailedUpdateOut(NoticeUpdateOut):
    """An update, with its mail."""

    mail = Nested(
        SendingOut,
        required=True,
        allow_none=True,
        metadata={"description": "null: nobody gets it, or it was sent more than a day ago"},
    )


class ConsoleNoticeOut(NoticeOut):
    """A notice as operators see it; without published_at it is a draft."""

    created_at = DateTime(required=True)
    version = String(
        required=True,
        allow_none=True,
        metadata={"description": "of a draft: another one, once somebody has changed it"},
    )
    published_at = DateTime(required=True, allow_none=True)
    updates = List(Nested(MailedUpdateOut), required=True)


class OneConsoleNoticeOut(ConsoleNoticeOut):
    """A notice, by itself: apispec names a schema once, for a list or for one alone."""


class ConsoleNoticesOut(NoticesOut):
    """A page of notices and drafts, the newest first."""

    items = List(Nested(ConsoleNoticeOut), required=True)


class DraftIn(Schema):
    """A notice to be."""

    kind = String(required=True, validate=OneOf(list(KINDS)))
    title = String(required=True, validate=Length(1, LONGEST_TITLE))
    words = String(required=True, validate=Length(1, LONGEST_WORDS))
    parts = List(String(validate=OneOf(PARTS)), load_default=[])
    begins_at = AwareDateTime(default_timezone=UTC, allow_none=True, load_default=None)
    ends_at = AwareDateTime(default_timezone=UTC, allow_none=True, load_default=None)


class VersionQuery(Schema):
    """Which draft is meant."""

    version = String(
        validate=Length(max=64),
        metadata={"description": "the draft that you have read; 409 where it was changed since"},
    )


class NewsIn(Schema):
    """How it goes on."""

    state = String(required=True, validate=OneOf(list(STATES)))
    words = String(required=True, validate=Length(1, LONGEST_WORDS))
    after = Integer(
        required=True,
        strict=True,
        validate=Range(min=1, max=LARGEST),
        metadata={"description": "the id of the newest update that you know of"},
    )


class NoticeMailOut(Schema):
    """What subscribers read, but for their own links."""

    subject = String(required=True)
    text = String(required=True)
    html = String(required=True)


class ToldOut(Schema):
    """What was done."""

    mails = Integer(required=True, metadata={"description": "how many it is mailed to"})
