"""The verbs of point in time: which instants can be restored, and a base backup now."""

import os
from argparse import Namespace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base
from backup.clock import now
from backup.operator.answers import answer, verb
from backup.operator.listing import size
from backup.postgres import sessions
from backup.repository.opening import opened
from backup.settings import Settings
from backup.stream import bases, points, received, slot, stretches
from backup.stream.bases import Baser
from backup.taking.copying import Copier
from common.database import open_engine, reason_of


def add_to(verbs: Any) -> None:
    """Add the verbs."""
    verb(verbs, "points", show, "show which instants can be restored, and what they rest on")
    taking = verb(verbs, "base", base, "take a base backup now, for instants from here on")
    taking.add_argument(
        "--scheduled", dest="by_hand", action="store_false", help="only if due; for the worker"
    )


def show(arguments: Namespace, settings: Settings) -> int:
    """Say what can be restored from which target; where the database is away, all but the slot."""
    folder = Folder(settings.backup_folder)
    document = {
        "targets": [
            {
                "target": target,
                "from": window.start.isoformat(),
                "until": window.until.isoformat(),
                "spans": [[s.start.isoformat(), s.until.isoformat()] for s in window.spans],
            }
            for target, window in points.windows(folder).items()
        ],
        "bases": [_base(known) for known in reversed(folder.bases())],
        "slot": _slot(settings),
        "gaps": [gap.model_dump(mode="json") for gap in stretches.gaps(folder)],
    }
    answer(arguments, _text(document), document)
    return os.EX_OK


def base(arguments: Namespace, settings: Settings) -> int:
    """Take a base backup now; where the schedule asks, only if one is due."""
    folder = Folder(settings.backup_folder)
    folder.require_writable()
    with opened(settings) as repositories, folder.claimed():
        if not arguments.by_hand and not bases.due(folder.bases(), _stretch(folder), now()):
            return os.EX_OK
        copier = Copier(folder, repositories)
        copier.usable()  # one that begins anew lacks what it had
        taken = Baser(
            engine=sessions.open_engine(settings),
            url=settings.url(),
            folder=folder,
            repositories=repositories,
            clock=now,
        ).take()
        there = [
            repository for repository in repositories if repository.target.name in taken.copies
        ]
        copier.save_catalogue(there)
    if arguments.by_hand:
        text = f"stored: {taken.id}, {size(taken.bytes)}, at {', '.join(taken.copies)}"
        answer(arguments, text, _base(taken))
    return os.EX_OK


def _stretch(folder: Folder) -> str | None:
    """Return the stretch that is being received into."""
    receiving = received.now(folder)
    return receiving.stretch if receiving else None


def _base(known: Base) -> dict[str, Any]:
    fields = {"id", "started_at", "consistent_at", "bytes", "bytes_stored", "first_segment"}
    more = {"targets": sorted(known.copies), "seconds": round(sum(known.steps.values()), 2)}
    return known.model_dump(mode="json", include=fields) | more


def _slot(settings: Settings) -> dict[str, Any]:
    try:
        with open_engine(settings, "backup").connect() as connection:
            health = slot.health(connection)
    except SQLAlchemyError as error:
        return {"trouble": reason_of(error)}
    return {
        "active": health.active,
        "status": health.status,
        "safe_bytes": health.safe_bytes,
        "lag_bytes": health.lag_bytes,
        "trouble": health.trouble(),
    }


def _text(document: dict[str, Any]) -> str:
    """Return the same for people."""
    lines = [
        f"{seen['target']}: from {start} until {until}"
        for seen in document["targets"]
        for start, until in seen["spans"]
    ]
    lines = lines or ["no instant can be restored yet: there is no base backup with log after it"]
    lines += [
        f"base {known['id']}: {size(known['bytes'])}, at {', '.join(known['targets'])}"
        for known in document["bases"]
    ]
    lines.append(f"receiving: {document['slot']['trouble'] or 'well'}")
    lines += [
        f"gap found {gap['found_at']}: {'; '.join(gap['reasons'])}" for gap in document["gaps"]
    ]
    return "\n".join(lines)
