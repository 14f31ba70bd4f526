"""The verb that rehearses: each repository is read in rotating parts, and a random instant is restored."""

import os
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.engine import URL

from backup.catalogue import ahead
from backup.catalogue.folder import Folder
from backup.clock import now
from backup.errors import BusyError
from backup.operator import watching
from backup.operator.answers import answer, verb
from backup.repository import targets
from backup.repository.opening import opened
from backup.repository.restic import Repository
from backup.schedule import slots as schedule
from backup.settings import Settings
from backup.stream import points, recovery
from backup.watching import drills, outcome
from backup.watching.drills import Drill
from common.database import open_engine


def add_to(verbs: Any) -> None:
    """Add the verb."""
    parser = verb(
        verbs, "drill", drill, "restore a random instant, and read a part of each repository"
    )
    parser.add_argument(
        "--scheduled", dest="by_hand", action="store_false", help="only if due; for the worker"
    )


def drill(arguments: Namespace, settings: Settings) -> int:
    """Rehearse; what does not pass is an alert, and ends with 65."""
    folder = Folder(settings.backup_folder)
    folder.require_writable()
    if not arguments.by_hand and not is_due(settings, folder, now()):
        return os.EX_OK
    with opened(settings) as repositories:
        tries: list[Callable[[], Drill | None]] = [
            partial(drills.read_anew, one, folder, now) for one in repositories
        ]
        tries.append(partial(restored, settings, repositories, folder))
        made, busy = rehearsed(tries)
    engine = open_engine(settings, "backup")
    in_use, instants = {one.target.name for one in repositories}, settings.backup_point_in_time
    reason = drills.trouble(drills.known(folder), in_use, instants=instants)
    outcome.alerts(settings, folder, engine, now).tell("drill-failed", reason)
    watching.show(engine, settings, folder)
    if arguments.by_hand:
        lines = [line(one) for one in made]
        if not any(one.kind == "instant" for one in made):
            lines.append("no instant was rehearsed")
        answer(arguments, "\n".join(lines), [one.model_dump(mode="json") for one in made])
    if busy:
        raise busy
    return os.EX_OK if all(one.passed for one in made) else os.EX_DATAERR


def rehearsed(
    tries: Sequence[Callable[[], Drill | None]],
) -> tuple[list[Drill], BusyError | None]:
    """Return what came of each, and the error of one that had to wait, which keeps no other back."""
    made, busy = [], None
    for attempt in tries:
        try:
            made.append(attempt())
        except BusyError as error:
            busy = error
    return [one for one in made if one], busy


def is_due(settings: Settings, folder: Folder, at: datetime) -> bool:
    """Say whether it is time; a new stack's first drill is at the first time after its first backup."""
    configured = {target.name for target in targets.parse(settings.backup_targets, "")}
    began = drills.began(ahead.without(drills.known(folder), at), configured)
    if began is None:
        began = next((backup.started_at for backup in folder.stored()), None)
    trigger = schedule.parse(settings.backup_drill_schedule)
    return began is not None and schedule.is_due(trigger, began, at)


def restored(
    settings: Settings, repositories: Sequence[Repository], folder: Folder
) -> Drill | None:
    """Restore a random instant from wherever it can be; None where no instant can."""
    windows = points.windows(folder) if settings.backup_point_in_time else {}
    by_name = {one.target.name: one for one in repositories}
    spans = {
        name: [(span.start, span.until) for span in window.spans]
        for name, window in windows.items()
        if name in by_name
    }
    chosen = drills.random_instant(spans)
    if chosen is None:
        return None
    target, instant = chosen

    @contextmanager
    def recovered() -> Iterator[URL]:
        choice = recovery.choose(folder.bases(), {target: windows[target]}, instant)
        with (
            folder.claimed(),
            recovery.recovered(by_name[target], choice.base, instant, folder) as url,
        ):
            yield url

    database = settings.url().database or ""
    return drills.restore_instant(target, instant, recovered, folder, now, database)


def line(one: Drill) -> str:
    """Return what came of one drill."""
    seconds = (one.finished_at - one.started_at).total_seconds()
    verdict = "passed" if one.passed else "FAILED"
    return f"{verdict}  {one.kind:<7}  {one.target:<8}  {seconds:6.1f} s  {one.detail}"
