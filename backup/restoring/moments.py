"""Which state of the database is wanted: the latest backup, a certain one, an instant, or the end. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from backup.catalogue.manifest import ID_PATTERN
from backup.errors import RefusedError

LATEST = "latest"
END = "end"
KNOWN = (
    "write latest, a backup's id (20261122-030000), an instant with its zone (2026-11-22 14:03:00Z), or"
    " end: the last commit that is known"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A backup by its id, an instant, the end of the log, or none of them: then it is the latest backup."""

    backup_id: str | None = None
    instant: datetime | None = None
    end: bool = False


def parse(asked: str | None, *, zone_needed: bool) -> Moment:
    """Return what was asked for; where no zone was given and none is needed, it is UTC."""
    text = (asked or LATEST).strip()
    if text == LATEST:
        return Moment()
    if text == END:
        return Moment(end=True)
    if re.match(ID_PATTERN, text):
        return Moment(backup_id=text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        message = f"not a moment: {text}; {KNOWN}"
        raise RefusedError(message) from None
    if instant.tzinfo is None:
        if zone_needed:
            message = f"{text} has no zone, and hours decide what is lost: {KNOWN}"
            raise RefusedError(message)
        instant = instant.replace(tzinfo=UTC)
    return Moment(instant=instant.astimezone(UTC))


def told(instant: datetime) -> str:
    """Return an instant as people read it, to the microsecond where it has any."""
    pattern = "%Y-%m-%d %H:%M:%S.%f UTC" if instant.microsecond else "%Y-%m-%d %H:%M:%S UTC"
    return instant.strftime(pattern)
