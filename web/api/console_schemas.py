"""What the console tells programs, field by field."""

from apiflask import Schema
from apiflask.fields import URL, Boolean, Date, DateTime, Dict, Integer, List, Nested, Raw, String
from apiflask.validators import Length, OneOf

from web.api.paging import PageQuery
from web.console.findings import Weight
from web.models import MEMBER, OPERATOR

LONGEST = 254


class FindingOut(Schema):
    """One thing that somebody should know."""

    weight = String(required=True, validate=OneOf([weight.value for weight in Weight]))
    title = String(required=True)
    words = String(required=True)
    action = String(required=True, metadata={"description": "what to do"})
    command = String(required=True, metadata={"description": "that does it; may be empty"})


class FindingsOut(Schema):
    """What was found, the worst first."""

    at = DateTime(required=True)
    well = Boolean(required=True, metadata={"description": "whether nothing of it is wrong"})
    well_since = DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "since when every part was found up"},
    )
    findings = List(Nested(FindingOut), required=True)


class PersonOut(Schema):
    """An account."""

    id = Integer(required=True)
    email = String(required=True)
    role = String(required=True, validate=OneOf([MEMBER, OPERATOR]))
    created_at = DateTime(required=True)
    locked_at = DateTime(required=True, allow_none=True)


class OnePersonOut(PersonOut):
    """An account, by itself: apispec names a schema once, for a list or for one alone."""


class PeopleOut(Schema):
    """A page of accounts, the newest first."""

    items = List(Nested(PersonOut), required=True)
    next = URL(required=True, allow_none=True, metadata={"description": "null: the last"})


class PeopleQuery(PageQuery):
    """Which accounts."""

    q = String(validate=Length(max=LONGEST), metadata={"description": "a part of the address"})


class RoleIn(Schema):
    """A role."""

    role = String(required=True, validate=OneOf([MEMBER, OPERATOR]))


class SignInOut(Schema):
    """One browser in which somebody is signed in."""

    id = Integer(required=True)
    started_at = DateTime(required=True)
    seen_at = DateTime(required=True, metadata={"description": "to within five minutes"})
    expires_at = DateTime(required=True)
    address = String(required=True)
    agent = String(required=True)


class SignInsOut(Schema):
    """A page of them, the newest first."""

    items = List(Nested(SignInOut), required=True)
    next = URL(required=True, allow_none=True, metadata={"description": "null: the last"})


class SignInOfOut(SignInOut):
    """One browser, and who is signed in there."""

    account_id = Integer(required=True)
    email = String(required=True)
    role = String(required=True, validate=OneOf([MEMBER, OPERATOR]))


class AllSignInsOut(Schema):
    """A page of them, the newest first."""

    items = List(Nested(SignInOfOut), required=True)
    next = URL(required=True, allow_none=True, metadata={"description": "null: the last"})


class HourOut(Schema):
    """How many requests were refused in an hour."""

    at = DateTime(required=True)
    times = Integer(required=True)


class LineOut(Schema):
    """One of the routes, or clients, that were refused the most, hour by hour."""

    by = String(required=True, validate=OneOf(["route", "who"]))
    name = String(required=True)
    hours = List(Nested(HourOut), required=True)


class RouteOut(Schema):
    """Where they were refused, and by which rule."""

    route = String(required=True)
    rule = String(required=True)
    times = Integer(required=True)
    clients = Integer(required=True)


class ClientOut(Schema):
    """Who was refused."""

    who = String(required=True)
    rule = String(required=True)
    address = String(required=True)
    times = Integer(required=True)
    last = DateTime(required=True, metadata={"description": "the minute of the last time"})


class RefusedOut(Schema):
    """Who is refused now."""

    who = String(required=True)
    rule = String(required=True)
    until = DateTime(required=True)


class LimitsOut(Schema):
    """The breaches of a day, and who is refused now."""

    at = DateTime(required=True)
    refused = List(Nested(RefusedOut), required=True)
    hours = List(Nested(HourOut), required=True)
    lines = List(Nested(LineOut), required=True)
    routes = List(Nested(RouteOut), required=True)
    clients = List(Nested(ClientOut), required=True)


class ClearIn(Schema):
    """Whom to let through, by which rule."""

    who = String(required=True, validate=Length(min=1, max=LONGEST))
    rule = String(required=True, validate=Length(min=1, max=LONGEST))


class ClearedOut(Schema):
    """What came of it."""

    cleared = Boolean(required=True, metadata={"description": "false: they asked again meanwhile"})


class UseOut(Schema):
    """How often a view or query was answered from the cache, and how not."""

    name = String(required=True)
    hits = Integer(required=True)
    stale = Integer(required=True)
    misses = Integer(required=True)
    refreshes = Integer(required=True)
    bypassed = Integer(required=True)
    errors = Integer(required=True)


class KeptOut(Schema):
    """What is kept."""

    name = String(required=True)
    bytes = Integer(required=True)


class CacheOut(Schema):
    """What the cache keeps, and how well that serves."""

    shared = Boolean(required=True, metadata={"description": "by all processes"})
    use = List(Nested(UseOut), required=True)
    kept = List(Nested(KeptOut), required=True)


class TagIn(Schema):
    """What is to be made anew."""

    tag = String(required=True, validate=Length(min=1, max=100))


class ConnectionOut(Schema):
    """A connection of web; its statement has no values in it."""

    pid = Integer(required=True)
    program = String(required=True)
    state = String(required=True, allow_none=True)
    since = DateTime(required=True)
    state_since = DateTime(required=True, allow_none=True)
    tls = String(required=True, allow_none=True)
    cipher = String(required=True, allow_none=True)
    statement = String(required=True)


class TableOut(Schema):
    """A table."""

    name = String(required=True)
    bytes = Integer(required=True, metadata={"description": "with its indexes"})
    bytes_of_rows = Integer(required=True)
    rows = Integer(required=True, metadata={"description": "about"})


class DatabaseOut(Schema):
    """The database."""

    at = DateTime(required=True)
    version = String(required=True)
    revision = String(required=True)
    head = String(required=True, metadata={"description": "the revision that web needs"})
    bytes = Integer(required=True)
    in_use = Integer(required=True, metadata={"description": "connections of this process"})
    most = Integer(required=True, metadata={"description": "that it may have"})
    connections = List(Nested(ConnectionOut), required=True)
    others = Dict(required=True, metadata={"description": "connections of other roles"})
    tables = List(Nested(TableOut), required=True)


class SettingOut(Schema):
    """A setting."""

    name = String(required=True)
    value = String(required=True, metadata={"description": "of a secret, only its length"})
    origin = String(required=True, metadata={"description": "default, environment or file"})
    meaning = String(required=True)


class ConfigurationOut(Schema):
    """What web was told."""

    settings = List(Nested(SettingOut), required=True)
    refused_in_production = List(String(), required=True)


class AuditQuery(PageQuery):
    """Which entries."""

    who = String(validate=Length(max=LONGEST), metadata={"description": "a part of the address"})
    action = String(validate=Length(max=64), metadata={"description": "how it begins"})
    day = Date(metadata={"description": "of UTC"})


class AuditEntryOut(Schema):
    """What somebody did."""

    id = Integer(required=True)
    at = DateTime(required=True)
    email = String(required=True)
    address = String(required=True)
    action = String(required=True)
    subject = String(required=True)
    detail = Raw(required=True)
    request_id = String(required=True)


class AuditLogOut(Schema):
    """A page of the audit log, the newest first."""

    items = List(Nested(AuditEntryOut), required=True)
    next = URL(required=True, allow_none=True, metadata={"description": "null: the last"})
