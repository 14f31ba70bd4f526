"""Mail as the API tells it to operators: the shapes of its answers, and of what it is told."""

from apiflask import Schema
from apiflask.fields import URL, Boolean, DateTime, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from marshmallow import ValidationError, validates

from common.outbox import is_address
from web.api.paging import PageQuery
from web.console.mail.search import STATES


class GateOut(Schema):
    """What holds mail back."""

    name = String(required=True)
    cause = String(required=True)
    reason = String(required=True)
    since = DateTime(required=True)
    next_probe_at = DateTime(required=True, allow_none=True)
    probes = Integer(required=True)


class MailerOut(Schema):
    """A mailer that lives."""

    number = Integer(required=True)
    host = String(required=True)
    started_at = DateTime(required=True)
    connections = Integer(required=True, allow_none=True)
    daily_quota = Integer(
        required=True, allow_none=True, metadata={"description": "mails in 24 hours; 0: no limit"}
    )


class KindOut(Schema):
    """How much of one kind there is."""

    name = String(required=True)
    queued = Integer(required=True)
    due = Integer(required=True)
    unsure = Integer(required=True)
    dead = Integer(required=True)
    sent = Integer(
        required=True, metadata={"description": "in the 23 hours before the present one"}
    )


class SpanOut(Schema):
    """An hour or a day, and the seconds within which half and 95 of 100 of its mails went."""

    begins_at = DateTime(required=True)
    sent = Integer(required=True)
    half_seconds = Float(required=True, allow_none=True)
    most_seconds = Float(required=True, allow_none=True)


class MailOut(Schema):
    """Mail at a glance."""

    at = DateTime(required=True)
    oldest_due_at = DateTime(required=True, allow_none=True)
    gates = List(Nested(GateOut), required=True)
    mailers = List(Nested(MailerOut), required=True)
    kinds = List(Nested(KindOut), required=True)
    counted_to = Integer(
        required=True,
        metadata={"description": "a number so large or larger is at least so much"},
    )
    hours = List(Nested(SpanOut), required=True)
    days = List(Nested(SpanOut), required=True)


class MessageOut(Schema):
    """One mail, as lists have it."""

    id = Integer(required=True)
    state = String(required=True, validate=OneOf(STATES))
    kind = String(required=True)
    recipient = String(required=True)
    subject = String(required=True)
    attempts = Integer(required=True)
    created_at = DateTime(required=True)
    due_at = DateTime(required=True)
    done_at = DateTime(required=True, allow_none=True)


class MessagesOut(Schema):
    """A page of mails, the newest first."""

    items = List(Nested(MessageOut), required=True)
    next = URL(
        required=True, allow_none=True, metadata={"description": "the next page; null: the last"}
    )


class TryOut(Schema):
    """A try that failed."""

    at = DateTime(required=True)
    stage = String(required=True)
    code = Integer(required=True, allow_none=True)
    reason = String(required=True)
    milliseconds = Integer(required=True)


class WholeMessageOut(MessageOut):
    """One mail, with all that is known of it but what it says."""

    priority = Integer(required=True)
    sender = String(required=True)
    message_id = String(required=True)
    when_unsure = String(required=True)
    expires_at = DateTime(required=True, allow_none=True)
    first_try_at = DateTime(required=True, allow_none=True)
    last_error = String(required=True, allow_none=True)
    reply = String(required=True, allow_none=True)
    has_content = Boolean(required=True)
    explanation = String(
        required=True, metadata={"description": "why it is not sent, or what became of it"}
    )
    next_try_at = DateTime(required=True, allow_none=True)
    actions = List(String(), required=True, metadata={"description": "what can be asked"})
    tries = List(Nested(TryOut), required=True)


class SuppressionOut(Schema):
    """An address that gets no mail of this scope: a kind, or * for all."""

    address = String(required=True)
    scope = String(required=True)
    reason = String(required=True)
    since = DateTime(required=True)


class SuppressionsOut(Schema):
    """A page of them, by address."""

    items = List(Nested(SuppressionOut), required=True)
    next = URL(
        required=True, allow_none=True, metadata={"description": "the next page; null: the last"}
    )


class JobOut(Schema):
    """What was asked, and where its answer will be."""

    job = Integer(required=True)
    url = URL(required=True)


class MessagesQuery(PageQuery):
    """Which mails."""

    state = String(validate=OneOf(STATES))
    kind = String(validate=Length(max=64))
    q = String(
        validate=Length(max=320),
        metadata={"description": "an address, a @domain, a number, or a <Message-ID>"},
    )


class SuppressionsQuery(PageQuery):
    """Which addresses."""

    class Meta(PageQuery.Meta):
        """By address, not by id."""

        exclude = ("before",)

    q = String(validate=Length(max=254), metadata={"description": "how the address begins"})
    after = String(validate=Length(max=254), metadata={"description": "the last one's address"})
    scope = String(validate=Length(max=64), metadata={"description": "the last one's scope"})


class KindIn(Schema):
    """All mail, or a kind of it."""

    kind = String(load_default="", validate=Length(max=64))


class PauseIn(KindIn):
    """What to hold back, and why."""

    reason = String(required=True, validate=Length(min=1, max=200))


class GateIn(Schema):
    """Which gate."""

    gate = String(required=True, validate=OneOf(["relay", "quota"]))


class ScopeIn(Schema):
    """An address, and of what kind it gets none; * is of any."""

    address = String(required=True, validate=Length(max=254))
    scope = String(load_default="*", validate=Length(min=1, max=64))

    @validates("address")
    def refuse_what_is_none(self, value: str, **_: object) -> None:
        """Refuse what is no address."""
        if not is_address(value):
            raise ValidationError("Not an address that mail can be sent to.")


class SuppressionIn(ScopeIn):
    """The same, and why."""

    reason = String(load_default="by an operator", validate=Length(max=200))
