"""The verb that says how the backups do, from what lies on the volume; of the database it asks the slot alone."""

from argparse import Namespace
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue import ahead
from backup.catalogue.folder import Folder
from backup.clock import now
from backup.history import history
from backup.operator import watching
from backup.operator.answers import answer, verb
from backup.operator.listing import size
from backup.schedule import slots as schedule
from backup.settings import Settings
from backup.stream import points, slot
from backup.stream.points import Window
from backup.watching import drills, outcome, targets, trend
from backup.watching.targets import Seen
from common.database import open_engine, reason_of

WELL, TROUBLE = 0, 1


def add_to(verbs: Any) -> None:
    """Add the verb."""
    verb(verbs, "status", status, "say how the backups do; exits with 1 where something is wrong")


def status(arguments: Namespace, settings: Settings) -> int:
    """Say how all of it does."""
    told = known(settings, Folder(settings.backup_folder), now())
    answer(arguments, as_text(told), told)
    return WELL if told["well"] else TROUBLE


def known(settings: Settings, folder: Folder, at: datetime) -> dict[str, Any]:
    """Return all that is known."""
    engine = open_engine(settings, "backup")
    proven = folder.proven()
    alerts = {one.name: one for one in outcome.alerts(settings, folder, engine, now).open()}
    # what can be seen now, also where nobody has looked since it went wrong
    wrong = {
        name: reason for name, reason in watching.found(settings, folder, at).items() if reason
    }
    wrong = {name: one.reason for name, one in alerts.items()} | wrong
    stream = slot_of(engine) if settings.backup_point_in_time else None
    if stream:
        wrong["log-behind"] = stream
    return {
        "well": bool(proven) and not wrong,
        "at": at.isoformat(),
        "last_proven": last_proven(folder, at),
        "next_run": upcoming(settings.backup_schedule, at),
        "next_drill": upcoming(settings.backup_drill_schedule, at),
        "targets": of_targets(settings, folder),
        "drills": [one.model_dump(mode="json") for one in drills.latest(drills.known(folder))],
        "git": asdict(history.state(folder)) if settings.backup_git_remote else None,
        "wrong": wrong,
        "told_since": {name: one.since.isoformat() for name, one in alerts.items()},
    }


def last_proven(folder: Folder, at: datetime) -> dict[str, Any] | None:
    """Return the newest backup that counts, and its age: of the state that it holds."""
    proven = ahead.without(folder.proven(), at)
    if not proven:
        return None
    newest = proven[-1]
    age = (at - newest.started_at).total_seconds()
    return {
        "id": newest.id,
        "started_at": newest.started_at.isoformat(),
        "age_seconds": age,
        "targets": list(newest.copies),
    }


def upcoming(expression: str, at: datetime) -> str | None:
    """Return when the schedule comes next."""
    following = schedule.parse(expression).get_next_fire_time(None, at)
    return following.isoformat() if following else None


def of_targets(settings: Settings, folder: Folder) -> list[dict[str, Any]]:
    """Return each target, its use and trend, and what can be restored from it."""
    limit = targets.limit_of(settings.backup_storage_limit_gb)
    windows = points.windows(folder) if settings.backup_point_in_time else {}
    return [_target(seen, limit, windows.get(seen.name)) for seen in targets.known(folder)]


def _target(seen: Seen, limit: int | None, window: Window | None) -> dict[str, Any]:
    spans = window.spans if window else ()
    return {
        **seen.model_dump(mode="json", exclude={"sizes"}),
        "bytes_limit": limit,
        **asdict(trend.of(seen.sizes, limit)),
        "recoverable": [
            {"from": span.start.isoformat(), "until": span.until.isoformat()} for span in spans
        ],
    }


def slot_of(engine: Engine) -> str | None:
    """Return what is wrong with the slot; that it can't be asked is trouble too."""
    try:
        with engine.connect() as connection:
            return slot.health(connection).trouble()
    except SQLAlchemyError as error:
        return f"the database can't be asked about it: {reason_of(error)}"


def as_text(told: dict[str, Any]) -> str:
    """Return what people are told."""
    lines = [_proven_line(told["last_proven"]), f"next run     {told['next_run']}"]
    lines += [_target_line(target) for target in told["targets"]]
    lines += [_drill_line(drill) for drill in told["drills"]]
    lines.append(f"next drill   {told['next_drill']}")
    if told["git"]:
        lines.append(f"git          {told['git']['trouble'] or 'pushed'}")
    lines += [f"WRONG        {name}: {reason}" for name, reason in told["wrong"].items()]
    return "\n".join([*lines, "all is well" if told["well"] else "something needs attention"])


def _proven_line(newest: dict[str, Any] | None) -> str:
    if newest is None:
        return "last proven  none yet"
    age = timedelta(seconds=round(newest["age_seconds"]))
    return f"last proven  {newest['id']}, {age} old, at {', '.join(newest['targets'])}"


def _target_line(target: dict[str, Any]) -> str:
    parts = [size(target["bytes"]) if target["bytes"] is not None else "of unknown size"]
    if target["bytes_limit"]:
        parts.append(f"of {size(target['bytes_limit'])}")
    if target["bytes_per_day"]:
        parts.append(f"({target['bytes_per_day'] / 1e6:+.1f} MB a day)")
    if target["days_left"] is not None:
        parts.append(f"full in {target['days_left']:.0f} days")
    for span in target["recoverable"]:
        parts.append(f"any instant {span['from']} to {span['until']}")  # noqa: PERF401 reads as the others
    return f"target       {target['name']}: {', '.join(parts)}"


def _drill_line(drill: dict[str, Any]) -> str:
    verdict = "passed" if drill["passed"] else "FAILED"
    return f"drill        {drill['id']}: {verdict}, {drill['detail']}"
