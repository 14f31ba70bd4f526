"""The rows of targets, sizes and drills, for people: what lies on the volume is the truth.

Only what differs is written: each row that is written is log, which is received and stored for good.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, or_, select, update

from backup.watching.drills import Drill
from backup.watching.targets import Seen
from common.schema import backup_drills, backup_plans, backup_sizes, backup_targets

Row = Mapping[str, Any]
Ends = Mapping[
    str, tuple[datetime, datetime]
]  # by target, between which instants lie that can be restored


@dataclass(frozen=True, slots=True)
class Changes:
    """What makes the rows that are there those that are wanted."""

    gone: list[Row]
    changed: list[Row]
    new: list[Row]


def write(
    connection: Connection,
    targets: Sequence[Seen],
    limit: int | None,
    ends: Ends,
    drills: Iterable[Drill],
) -> None:
    """Make the rows say what is known, and nothing else; one transaction, so that no reader sees none."""
    _bring(connection, backup_targets, [_target(seen, limit, ends) for seen in targets])
    sizes = [
        {"target": seen.name, "day": day, "bytes": size}
        for seen in targets
        for day, size in seen.sizes.items()
    ]
    _bring(connection, backup_sizes, sizes)
    _bring(connection, backup_drills, [drill.model_dump(exclude={"part"}) for drill in drills])


def note_recoverable(connection: Connection, ends: Ends) -> None:
    """Bring the instants that can be restored up to date, which change each minute; asked more often."""
    seen = backup_targets.c
    for name, (start, until) in ends.items():
        differs = or_(
            seen.recoverable_from.is_distinct_from(start),
            seen.recoverable_until.is_distinct_from(until),
        )
        found = {"recoverable_from": start, "recoverable_until": until}
        connection.execute(update(backup_targets).where(seen.name == name, differs).values(found))


def note_plans(connection: Connection, upcoming: Mapping[str, datetime]) -> None:
    """Bring up to date when each verb is done next."""
    _bring(connection, backup_plans, [{"verb": v, "next_at": at} for v, at in upcoming.items()])


def changes(there: Sequence[Row], wanted: Sequence[Row], key: Sequence[str]) -> Changes:
    """Return what to remove, to change and to add, by the columns that name a row. Pure."""
    known = {tuple(row[name] for name in key): row for row in there}
    asked = {tuple(row[name] for name in key): row for row in wanted}
    return Changes(
        gone=[row for named, row in known.items() if named not in asked],
        changed=[row for named, row in asked.items() if named in known and row != known[named]],
        new=[row for named, row in asked.items() if named not in known],
    )


def _target(seen: Seen, limit: int | None, ends: Ends) -> dict[str, object]:
    start, until = ends.get(seen.name, (None, None))
    return seen.model_dump(exclude={"sizes"}) | {
        "bytes_limit": limit,
        "recoverable_from": start,
        "recoverable_until": until,
    }


def _bring(connection: Connection, table: Table, wanted: Sequence[Row]) -> None:
    key = list(table.primary_key.columns)
    there = [dict(row) for row in connection.execute(select(table)).mappings()]
    found = changes(there, wanted, [column.name for column in key])
    for row in found.gone:
        connection.execute(delete(table).where(*(column == row[column.name] for column in key)))
    for row in found.changed:
        named = [column == row[column.name] for column in key]
        connection.execute(update(table).where(*named).values(row))
    if found.new:
        connection.execute(insert(table), found.new)
