"""The figures of the backups, from the tables that the worker keeps."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from common.schema import backup_drills, backup_targets, backups


def families(session: Session, now: datetime) -> Iterator[Metric]:
    """Yield every metric of the backups; raises SQLAlchemy's errors."""
    yield of_the_last_proven(session, now)
    yield from of_runs(session)
    yield from of_targets(session, now)
    yield from of_drills(session, now)


def of_the_last_proven(session: Session, now: datetime) -> Metric:
    """Return how old the last proven backup is; without any there is no value."""
    age = GaugeMetricFamily(
        "keelson_backup_age_seconds", "How old the state is that the last proven backup holds."
    )
    proven = select(func.max(backups.c.started_at)).where(backups.c.state == "proven")
    if started_at := session.scalar(proven):
        age.add_metric([], seconds(now - started_at))
    return age


def of_runs(session: Session) -> Iterator[Metric]:
    """Yield how many runs of each kind there are in each state."""
    runs = gauge("keelson_backup_runs", "Runs that are kept, by how they ended.", "kind", "state")
    counted = select(backups.c.kind, backups.c.state, func.count().label("runs"))
    for row in session.execute(counted.group_by(backups.c.kind, backups.c.state)):
        runs.add_metric([row.kind, row.state], row.runs)
    yield runs


def of_targets(session: Session, now: datetime) -> Iterator[Metric]:
    """Yield what each target takes, and how far behind its log is."""
    up = gauge("keelson_backup_target_up", "Whether the target can be used.", "target")
    taken = gauge("keelson_backup_bytes", "What the target takes.", "target")
    limit = gauge("keelson_backup_bytes_limit", "What it may take.", "target")
    behind = gauge(
        "keelson_backup_log_age_seconds",
        "How old the latest instant is that can be restored from it.",
        "target",
        "off_site",
    )
    for row in session.execute(select(backup_targets)):
        up.add_metric([row.name], row.trouble is None)
        if row.bytes is not None:
            taken.add_metric([row.name], row.bytes)
        if row.bytes_limit is not None:
            limit.add_metric([row.name], row.bytes_limit)
        if row.recoverable_until is not None:
            off_site = str(row.off_site).lower()
            behind.add_metric([row.name, off_site], seconds(now - row.recoverable_until))
    yield from (up, taken, limit, behind)


def of_drills(session: Session, now: datetime) -> Iterator[Metric]:
    """Yield how the last rehearsal of each kind went at each target."""
    passed = gauge("keelson_backup_drill_passed", "Whether it passed.", "kind", "target")
    age = gauge("keelson_backup_drill_age_seconds", "When it was.", "kind", "target")
    for row in latest_drills(session):
        passed.add_metric([row.kind, row.target], row.passed)
        age.add_metric([row.kind, row.target], seconds(now - row.finished_at))
    yield from (passed, age)


def latest_drills(session: Session) -> Sequence[Any]:
    """Return the last drill of each kind at each target."""
    drill = backup_drills.c
    latest = (
        select(drill.kind, drill.target, drill.finished_at, drill.passed)
        .ext(distinct_on(drill.kind, drill.target))
        .order_by(drill.kind, drill.target, drill.started_at.desc())
    )
    return session.execute(latest).all()


def gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    """Return a metric without values as yet."""
    return GaugeMetricFamily(name, meaning, labels=labels)


def seconds(duration: timedelta) -> float:
    """Return an age; what a clock that was set back makes of it is no age."""
    return max(duration.total_seconds(), 0)
