"""The backups at a glance: is the last one good, what is wrong, what comes next, how full it gets."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask import render_template

from common.condition import BEAT_IS_OLD
from web.console.backups import facts
from web.extensions import db
from web.plots.plots import Plot, Series


def show() -> str:
    """Show it."""
    now = datetime.now(UTC)
    told = known(now)
    storage = plot_of(told["sizes"], limit_of(told["targets"]), now)
    return render_template("console/backups/overview.html", **told, storage=storage)


def known(now: datetime) -> dict[str, Any]:
    """Return all that is shown, in three queries."""
    session = db.session()
    standing = facts.standing(session)
    return {
        "standing": standing,
        "wrong": wrong(standing.beat_at, standing.trouble, standing.proven_id, now),
        "targets": facts.targets(session),
        "sizes": facts.sizes(session, now),
    }


def wrong(
    beat_at: datetime | None, trouble: str | None, proven: str | None, now: datetime
) -> str | None:
    """Return what is wrong; None where all is well."""
    if beat_at is None:
        return "the backup worker has never been seen: `make ps` says whether it runs"
    if now - beat_at > BEAT_IS_OLD:
        return "the backup worker is not at work: `make ps`, then `make logs ARGS=backup`"
    return trouble or (None if proven else "no backup was ever proven")


def limit_of(targets: Iterable[facts.Target]) -> int | None:
    """Return what a target may take: it is the same for all."""
    return next((one.bytes_limit for one in targets), None)


def plot_of(sizes: Iterable[Any], limit: int | None, now: datetime) -> Plot:
    """Return the plot of what each target took, day by day."""
    found: dict[str, list[tuple[datetime, float | None]]] = {}
    for row in sizes:
        found.setdefault(row.target, []).append((datetime.combine(row.day, time(), UTC), row.bytes))
    series = [Series(target, points, step=timedelta(days=1)) for target, points in found.items()]
    return Plot("Storage used", "bytes", series, limit=limit, until=now)
