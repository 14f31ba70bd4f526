"""What the overview is judged from. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from common.condition import Beat


@dataclass(frozen=True, slots=True)
class Gate:
    """What holds mail back."""

    name: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """A place for backups that can't be used."""

    name: str
    trouble: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was asked of a part that has not begun with it."""

    part: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at one moment of the database's clock."""

    at: datetime
    revision: str | None = None
    head: str = ""
    beats: dict[str, Beat] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)
    oldest_due_at: datetime | None = None
    dead_lately: int = 0
    unsure: int = 0
    failed_backups: list[str] = field(default_factory=list)  # kinds whose last run failed
    targets: list[Target] = field(default_factory=list)
    job: Waiting | None = None
    breaches: int = 0  # in an hour
    breaches_before: int = 0  # in the 24 hours before that
    connections: int = 0
    most_connections: int = 0
    operators: int = 0
    drafts: int = 0
    oldest_draft_at: datetime | None = None
    invitations: int = 0
    well_since: datetime | None = None  # as the probes found it
