"""The verb that looks at everything: what targets take, what is wrong, who is to be told, what is to be pushed."""

import os
from argparse import Namespace
from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue.folder import Folder
from backup.clock import now
from backup.history import history, packing
from backup.operator.answers import answer, verb
from backup.repository.opening import opened
from backup.schedule import overdue
from backup.schedule import slots as schedule
from backup.settings import Settings
from backup.steps import step
from backup.stream import points
from backup.taking import cataloguing
from backup.watching import drills, mirror, outcome, problems, targets
from common.database import open_engine, reason_of

log = structlog.get_logger(__name__)

OF_TARGETS = ("target-", "limit-", "copy-", "base-")


def add_to(verbs: Any) -> None:
    """Add the verb."""
    parser = verb(
        verbs, "watch", watch, "look at the targets, tell what is wrong, push the history"
    )
    parser.add_argument(
        "--scheduled", dest="by_hand", action="store_false", help="for the worker: into the log"
    )


def watch(arguments: Namespace, settings: Settings) -> int:
    """Look once; what is wrong is told, and no failure of looking."""
    folder = Folder(settings.backup_folder)
    folder.require_writable()
    engine = open_engine(settings, "backup")
    alerts = outcome.alerts(settings, folder, engine, now)
    step("targets: looking at each")
    with opened(settings) as repositories:
        targets.look(folder, repositories, now())
        cataloguing.save_what_changed(folder, repositories, now())
    step("history: pushing it where that is set")
    history.push(folder, settings, now())
    packing.pack(folder, now())
    seen = found(settings, folder, now())
    alerts.tell_all({**gone([problem.name for problem in alerts.open()], seen), **seen})
    show(engine, settings, folder)
    wrong = {problem.name: problem.reason for problem in alerts.open()}
    if arguments.by_hand:
        lines = [f"{name}: {reason}" for name, reason in wrong.items()]
        answer(arguments, "\n".join(lines) or "all is well", wrong)
    return os.EX_OK


def found(settings: Settings, folder: Folder, at: datetime) -> dict[str, str | None]:
    """Return each problem that can be seen on the volume, and each that is not there."""
    limit, known = targets.limit_of(settings.backup_storage_limit_gb), targets.known(folder)
    in_use = {target.name for target in known}
    until = {
        name: window.until for name, window in points.windows(folder).items() if name in in_use
    }
    instants = settings.backup_point_in_time
    quiet = {} if instants else {"log-behind": None}
    return {
        **problems.of_targets(known, limit),
        **problems.of_copies(folder.proven(), [target.name for target in known], at),
        **problems.of_bases(folder.bases() if instants else [], known, at),
        **quiet,
        "backup-overdue": overdue.backup(folder, schedule.parse(settings.backup_schedule), at),
        "backup-ahead": problems.of_clock([*folder.stored(), *folder.bases()], at),
        "log-late": problems.of_log(until, at) if instants else None,
        "git": history.state(folder).trouble,
        "drill-failed": drills.trouble(drills.known(folder), in_use, instants=instants),
    }


def gone(open_ones: Sequence[str], seen: Container[str]) -> dict[str, None]:
    """Return as over what was wrong with targets that are not in use any more."""
    of_targets = [name for name in open_ones if name.startswith(OF_TARGETS)]
    return {name: None for name in of_targets if name not in seen}


def show(engine: Engine, settings: Settings, folder: Folder) -> None:
    """Write what is known into the tables; where the database is away the next look does."""
    limit = targets.limit_of(settings.backup_storage_limit_gb)
    ends = {name: (seen.start, seen.until) for name, seen in points.windows(folder).items()}
    try:
        with engine.begin() as connection:
            mirror.write(connection, targets.known(folder), limit, ends, drills.known(folder))
    except SQLAlchemyError as error:
        log.warning("what was seen is not in the database yet", reason=reason_of(error))
