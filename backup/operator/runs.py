"""The verbs that take a backup, copy it, and let old ones go."""

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from backup.catalogue.folder import Folder
from backup.catalogue.retention import Rules
from backup.clock import now
from backup.history import history
from backup.operator import listing
from backup.operator.answers import answer, verb
from backup.postgres import sessions
from backup.repository import locks
from backup.repository.opening import opened
from backup.schedule import slots as schedule
from backup.settings import Settings
from backup.taking.copying import Copier
from backup.taking.dumping import Dumper
from backup.taking.pruning import Plan, Pruner
from backup.taking.reporting import Reporter
from backup.taking.run import Run
from backup.taking.taker import Taker
from backup.watching import outcome

UNLOCK_WAIT_SECONDS = 60.0  # longer than a look at a repository takes


def add_to(verbs: Any) -> None:
    """Add the verbs."""
    taking = verb(verbs, "take", take, "take a backup now, prove it, copy it, prune old ones")
    taking.add_argument(
        "--scheduled", dest="by_hand", action="store_false", help="only if due; for the worker"
    )
    verb(verbs, "copy", copy, "copy backups to the targets where they are missing")
    pruning = verb(verbs, "prune", prune, "let go what is past its time")
    pruning.add_argument("--dry-run", action="store_true", help="only say what would go")
    unlocking = verb(verbs, "unlock", unlock, "remove the locks that killed runs have left")
    unlocking.add_argument(
        "--scheduled", dest="by_hand", action="store_false", help="for the worker: into the log"
    )


def take(arguments: Namespace, settings: Settings) -> int:
    """Take a backup now; where the schedule asks, only if one is due."""
    trigger = schedule.parse(settings.backup_schedule)

    def due(last: datetime | None) -> bool:
        return schedule.is_due(trigger, last, now())

    engine, folder = sessions.open_engine(settings), Folder(settings.backup_folder)
    alerts = outcome.alerts(settings, folder, engine, now)
    with _pruner(settings) as pruner:
        with outcome.told(settings, alerts) as came_to_something:
            taker = _taker(settings, engine, pruner)
            manifest = taker.take(None if arguments.by_hand else due)
            if manifest:
                came_to_something()
        troubles = pruner.copier.troubles
    if manifest and arguments.by_hand:
        good = f"proven: restored and found equal. {listing.sentence(manifest)}"
        text = "\n".join([good, *(f"but: {reason}" for reason in troubles.values())])
        answer(arguments, text, {**listing.as_object(manifest), "troubles": troubles})
    return os.EX_UNAVAILABLE if troubles else os.EX_OK


def copy(arguments: Namespace, settings: Settings) -> int:
    """Make the copies that are missing."""
    with _pruner(settings) as pruner, pruner.folder.claimed():
        usable = pruner.copier.usable()
        made = pruner.copier.copy(usable, now(), pruner.past(now()))
        pruner.copier.save_catalogue(usable)
        troubles = pruner.copier.troubles
    text = "\n".join([f"copies made: {made}", *troubles.values()])
    answer(arguments, text, {"made": made, "troubles": troubles})
    return os.EX_UNAVAILABLE if troubles else os.EX_OK


def prune(arguments: Namespace, settings: Settings) -> int:
    """Let go what is past its time, or only say what that is."""
    with _pruner(settings) as pruner, pruner.folder.claimed():
        usable = pruner.copier.usable(also_full=True)
        plan = pruner.plan(usable, now())
        if not arguments.dry_run:
            pruner.carry_out(plan, usable, make_room=True)
        troubles = pruner.copier.troubles
    would = "would go" if arguments.dry_run else "gone"
    targets = [repository.target for repository in usable]
    lines = [f"{would}: {', '.join(plan.gone) or 'no backup'}"]
    lines += [_line(target.name, target.append_only, plan) for target in targets]
    document = {
        "dry_run": arguments.dry_run,
        "backups": plan.gone,
        "snapshots": {t.name: [] if t.append_only else plan.at(t.name) for t in targets},
        "troubles": troubles,
    }
    answer(arguments, "\n".join([*lines, *troubles.values()]), document)
    return os.EX_UNAVAILABLE if troubles else os.EX_OK


def unlock(arguments: Namespace, settings: Settings) -> int:
    """Remove restic's locks, of each repository that nobody uses now.

    By hand it does not wait for whoever does. At the worker's start it does: who looks at a repository then is soon
    done, and a lock that stays would hold up the next run.
    """
    wait_seconds = 0.0 if arguments.by_hand else UNLOCK_WAIT_SECONDS
    folder = Folder(settings.backup_folder)
    folder.require_writable()
    with opened(settings) as repositories:
        copier = Copier(folder, repositories)
        for repository in repositories:
            name = repository.target.name
            if repository.target.append_only:
                continue
            with copier.excused(repository), locks.exclusive(folder, name, wait_seconds):
                if repository.exists():
                    repository.unlock()
    if arguments.by_hand:
        text = "\n".join(copier.troubles.values()) or "no lock is left"
        answer(arguments, text, {"troubles": copier.troubles})
    return os.EX_UNAVAILABLE if copier.troubles else os.EX_OK


def _line(name: str, append_only: bool, plan: Plan) -> str:
    if append_only:
        return f"  at {name}: nothing; it is append-only, and its own credential deletes there"
    return f"  at {name}: {len(plan.at(name))} snapshots"


def _taker(settings: Settings, engine: Engine, pruner: Pruner) -> Taker:
    folder, copier = pruner.folder, pruner.copier
    run = Run(
        folder=folder,
        copier=copier,
        dumper=Dumper(settings.url(), folder, copier.troubles),
        reporter=Reporter(engine, folder, now),
        record=lambda schema, manifest: history.record(folder, schema, manifest, settings),
        clock=now,
    )
    return Taker(engine=engine, run=run, pruner=pruner)


@contextmanager
def _pruner(settings: Settings) -> Iterator[Pruner]:
    folder = Folder(settings.backup_folder)
    folder.require_writable()
    rules = Rules(
        settings.backup_retention_days, settings.backup_keep_weekly, settings.backup_keep_monthly
    )
    with opened(settings) as repositories:
        yield Pruner(folder, Copier(folder, repositories), rules)
