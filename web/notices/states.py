"""What a notice can be of, and what can be said of how it goes. Pure."""

from collections.abc import Iterable
from datetime import datetime

INCIDENT, MAINTENANCE = "incident", "maintenance"
INVESTIGATING, PLANNED, UNDER_WAY, RESOLVED = "investigating", "planned", "under_way", "resolved"

KINDS = {INCIDENT: "Incident", MAINTENANCE: "Maintenance"}
STATES = {
    INVESTIGATING: "Investigating",
    "identified": "Identified",
    "monitoring": "Monitoring",
    PLANNED: "Planned",
    UNDER_WAY: "Under way",
    RESOLVED: "Resolved",
}
STATES_OF = {
    INCIDENT: (INVESTIGATING, "identified", "monitoring", RESOLVED),
    MAINTENANCE: (PLANNED, UNDER_WAY, RESOLVED),
}
PARTS = ("Website", "Edge", "Database", "Mail", "Backup", "Sessions")  # of the status page


def first_state(kind: str, begins_at: datetime | None, now: datetime) -> str:
    """Return what is said first of a notice that is published now."""
    if kind == INCIDENT:
        return INVESTIGATING
    return PLANNED if begins_at is not None and begins_at > now else UNDER_WAY


def states_of(kind: str) -> dict[str, str]:
    """Return what can be said of a notice of this kind, with its label."""
    return {state: STATES[state] for state in STATES_OF[kind]}


def concerned(parts: Iterable[str]) -> tuple[str, ...]:
    """Return these parts, each once, in the order of the status page."""
    chosen = set(parts)
    return tuple(part for part in PARTS if part in chosen)
