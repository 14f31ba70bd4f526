"""What is told of backups, field by field, with examples."""

from typing import Any

from apiflask import Schema
from apiflask.fields import (
    URL,
    Boolean,
    Date,
    DateTime,
    Dict,
    Float,
    Integer,
    List,
    Nested,
    Raw,
    String,
)
from apiflask.validators import Length, OneOf, Range, Regexp

from web.api.paging import MOST, USUAL, Digits

NAME = r"^[0-9]{8}-[0-9]{6}(-[a-z0-9-]{1,40})?$"
BACKUP = r"^[0-9]{8}-[0-9]{6}$"
TARGET = r"^[a-z0-9-]{1,40}$"
LONGEST = 64
ARGUMENTS = {"verify": ("id", "target"), "schema-diff": ("one", "other")}
VERBS = ["take", "verify", "copy", "drill", "schema-log", "schema-diff"]

AT, LATER = "2027-03-01T03:00:00+00:00", "2027-03-01T03:04:10+00:00"


class NamedPageQuery(Schema):
    """Which page of a list whose items have names."""

    limit = Digits(
        load_default=USUAL,
        validate=Range(min=1, max=MOST),
        metadata={"description": "how many at most", "example": USUAL},
    )
    before = String(
        validate=Regexp(NAME),
        metadata={"description": "only those after this one: the last id of the page before"},
    )


class MomentQuery(Schema):
    """A moment to go back to."""

    at = String(
        load_default="latest",
        validate=Length(max=LONGEST),
        metadata={"description": "latest, end, a backup's id, or an instant"},
    )


class BackupWaitingOut(Schema):
    """A job that waits or is at work."""

    id = Integer(required=True)
    verb = String(required=True)
    state = String(required=True)


class BackupTargetOut(Schema):
    """Where backups lie."""

    name = String(required=True)
    location = String(required=True)
    off_site = Boolean(required=True)
    seen_at = DateTime(required=True)
    trouble = String(required=True, allow_none=True)
    bytes = Integer(required=True, allow_none=True)
    bytes_limit = Integer(required=True, allow_none=True)
    per_day = Float(required=True, allow_none=True, metadata={"description": "bytes, by trend"})
    days_left = Float(required=True, allow_none=True)
    recoverable_from = DateTime(required=True, allow_none=True)
    recoverable_until = DateTime(required=True, allow_none=True)


class BackupSizeOut(Schema):
    """What a target took at the end of a day."""

    day = Date(required=True)
    target = String(required=True)
    bytes = Integer(required=True)


class BackupOverviewOut(Schema):
    """How the backups do."""

    wrong = String(required=True, allow_none=True, metadata={"description": "null: all is well"})
    beat_at = DateTime(required=True, allow_none=True)
    proven_id = String(required=True, allow_none=True)
    proven_at = DateTime(required=True, allow_none=True)
    verified_at = DateTime(required=True, allow_none=True)
    next_backup = DateTime(required=True, allow_none=True)
    next_drill = DateTime(required=True, allow_none=True)
    jobs = List(Nested(BackupWaitingOut), required=True)
    targets = List(Nested(BackupTargetOut), required=True)
    sizes = List(Nested(BackupSizeOut), required=True)


class BackupRunOut(Schema):
    """One run."""

    id = String(required=True)
    kind = String(required=True, validate=OneOf(["logical", "base"]))
    state = String(required=True, validate=OneOf(["running", "stored", "proven", "failed"]))
    started_at = DateTime(required=True)
    finished_at = DateTime(required=True, allow_none=True)
    verified_at = DateTime(required=True, allow_none=True)
    bytes = Integer(required=True, allow_none=True)
    bytes_stored = Integer(required=True, allow_none=True)
    steps = Dict(required=True, metadata={"description": "seconds by step"})
    copies = Dict(required=True, metadata={"description": "since when, by target"})
    tables = Dict(required=True, allow_none=True, metadata={"description": "rows by table"})
    reason = String(required=True, allow_none=True)


class OneBackupRunOut(BackupRunOut):
    """One run by itself: what is in lists already can't be named once more."""


class BackupRunsOut(Schema):
    """A page of runs, the newest first."""

    items = List(Nested(BackupRunOut), required=True)
    next = URL(required=True, allow_none=True, metadata={"description": "null: this is the last"})


class BackupDrillOut(Schema):
    """One rehearsal."""

    id = String(required=True)
    kind = String(required=True, validate=OneOf(["read", "instant"]))
    target = String(required=True)
    started_at = DateTime(required=True)
    finished_at = DateTime(required=True)
    passed = Boolean(required=True)
    detail = String(required=True)


class BackupDrillsOut(Schema):
    """A page of drills, the newest first."""

    items = List(Nested(BackupDrillOut), required=True)
    next = URL(required=True, allow_none=True, metadata={"description": "null: this is the last"})


class BackupChangeOut(Schema):
    """A change of the schema."""

    commit = String(required=True)
    at = String(required=True)
    message = String(required=True)


class BackupHistoryOut(Schema):
    """The changes of the schema, the newest first."""

    as_of = DateTime(required=True, allow_none=True)
    changes = List(Nested(BackupChangeOut), required=True)


class BackupCommandOut(Schema):
    """One line for a shell in the stack's folder."""

    line = String(required=True)
    does = String(required=True)


class BackupRestoreOut(Schema):
    """How to go back to a moment."""

    moment = String(required=True)
    commands = List(Nested(BackupCommandOut), required=True)
    consequences = List(String(), required=True)
    why_not_here = String(required=True)


class BackupJobIn(Schema):
    """What to do."""

    verb = String(required=True, validate=OneOf(VERBS))
    id = String(validate=Regexp(BACKUP), metadata={"description": "of verify; else the newest"})
    target = String(validate=Regexp(TARGET), metadata={"description": "of verify: read it there"})
    one = String(
        validate=Length(min=1, max=LONGEST),
        metadata={"description": "of schema-diff: a backup's id, a day, an instant, a commit"},
    )
    other = String(
        validate=Length(min=1, max=LONGEST),
        metadata={"description": "likewise; else the newest"},
    )


class BackupAskedOut(Schema):
    """The job that was made."""

    job = Integer(required=True)


class BackupJobOut(Schema):
    """How far a job has come."""

    id = Integer(required=True)
    verb = String(required=True)
    arguments = Dict(required=True)
    state = String(required=True, validate=OneOf(["waiting", "running", "done", "failed"]))
    asked_at = DateTime(required=True)
    began_at = DateTime(required=True, allow_none=True)
    ended_at = DateTime(required=True, allow_none=True)
    steps = List(Dict(), required=True)
    answer = Raw(required=True, allow_none=True, metadata={"description": "the verb's own"})


RUN: dict[str, Any] = {
    "id": "20270301-030000",
    "kind": "logical",
    "state": "proven",
    "started_at": AT,
    "finished_at": LATER,
    "verified_at": LATER,
    "bytes": 51_000_000,
    "bytes_stored": 1_200_000,
    "steps": {"dump": 12.4, "restore": 30.1},
    "copies": {"local": LATER},
    "tables": {"public.accounts": 120},
    "reason": None,
}
RUNS = {"items": [RUN], "next": None}
DRILL = {
    "id": "20270228-050000-read-local",
    "kind": "read",
    "target": "local",
    "started_at": AT,
    "finished_at": LATER,
    "passed": True,
    "detail": "part 3 of 7 was read, and is as it was written",
}
DRILLS = {"items": [DRILL], "next": None}
OVERVIEW = {
    "wrong": None,
    "beat_at": LATER,
    "proven_id": "20270301-030000",
    "proven_at": AT,
    "verified_at": LATER,
    "next_backup": "2027-03-02T03:00:00+00:00",
    "next_drill": "2027-03-07T05:00:00+00:00",
    "jobs": [{"id": 42, "verb": "verify", "state": "running"}],
    "targets": [
        {
            "name": "local",
            "location": "local",
            "off_site": False,
            "seen_at": LATER,
            "trouble": None,
            "bytes": 90_000_000,
            "bytes_limit": 20_000_000_000,
            "per_day": 1_500_000.0,
            "days_left": 13273.3,
            "recoverable_from": AT,
            "recoverable_until": LATER,
        }
    ],
    "sizes": [{"day": "2027-03-01", "target": "local", "bytes": 90_000_000}],
}
HISTORY = {
    "as_of": LATER,
    "changes": [{"commit": "8b1f0c2d9e", "at": AT, "message": "20270301-030000"}],
}
RESTORE = {
    "moment": "20270301-030000",
    "commands": [{"line": "make restore AT=20270301-030000", "does": "Restores it."}],
    "consequences": ["All that was written after this moment is gone from the live database."],
    "why_not_here": "The web application has not the rights.",
}
JOB = {
    "id": 42,
    "verb": "verify",
    "arguments": {"id": "20270301-030000"},
    "state": "running",
    "asked_at": AT,
    "began_at": AT,
    "ended_at": None,
    "steps": [{"at": AT, "said": "fetch", "ok": True}],
    "answer": None,
}
