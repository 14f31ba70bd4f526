"""Whose end is meant, where the database was made anew: each of its clusters has a log of its own. Pure."""

from collections.abc import Mapping, Sequence

from backup.catalogue.manifest import Base
from backup.errors import BackupError, RefusedError
from backup.restoring.moments import told
from backup.stream.points import Window


def named(bases: Sequence[Base], base_id: str) -> list[Base]:
    """Return the base of that name; a BackupError that says which there are."""
    found = [base for base in bases if base.id == base_id]
    if not found:
        known = ", ".join(base.id for base in bases) or "none yet"
        message = f"there is no base backup {base_id}; there are: {known}"
        raise BackupError(message)
    return found


def require_one(bases: Sequence[Base], windows: Mapping[str, Window]) -> None:
    """Raise a RefusedError where there are bases of several clusters: the newest may be of an empty database.

    It tells how far each of them reaches, and what to type.
    """
    systems = list(dict.fromkeys(base.system_id for base in bases))
    if len(systems) <= 1:
        return
    ends = [_end([base for base in bases if base.system_id == one], windows) for one in systems]
    message = (
        f"nothing was changed: the database was made anew, and there are {len(systems)} clusters, each with an end"
        f" of its own: {'; '.join(ends)}. Name a base backup of the one that you want:"
        " `make restore AT=end BASE=...` (--at end --base ...)"
    )
    raise RefusedError(message)


def _end(bases: Sequence[Base], windows: Mapping[str, Window]) -> str:
    """Return how far the log of one cluster reaches, and the newest base that leads there."""
    reached = [
        (span.until, base.consistent_at, base)
        for window in windows.values()
        for span in window.spans
        for base in bases
        if base.stretch == span.stretch and span.start <= base.consistent_at <= span.until
    ]
    if not reached:
        return f"{bases[-1].system_id}, without any instant yet (base {bases[-1].id})"
    until, _, base = max(reached, key=lambda found: found[:2])
    return f"{base.system_id}, to {told(until)} or later (BASE={base.id})"
