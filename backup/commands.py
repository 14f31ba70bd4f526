"""What each verb does: it is given the settings, prints its answer, and returns the exit code."""

import os
import sys
from argparse import Namespace
from datetime import UTC, datetime, timedelta

import structlog

from backup import listing, proof, restoring, schedule, sessions
from backup.child import Child
from backup.folder import Folder
from backup.settings import Settings
from backup.taking import Taker
from backup.worker import Worker
from common.database import open_engine
from common.heartbeat import Heartbeat

log = structlog.get_logger(__name__)


def now() -> datetime:
    """Return the time: the one clock of this service."""
    return datetime.now(UTC)


def work(_arguments: Namespace, settings: Settings) -> int:
    """Take backups on schedule until told to end."""
    folder = Folder(settings.backup_folder)
    folder.require_writable()
    run = Child([sys.executable, "-m", "backup", "take", "--scheduled"])
    trigger = schedule.parse(settings.backup_schedule)
    log.info(
        "on schedule", schedule=settings.backup_schedule, keep_days=settings.backup_retention_days
    )
    Worker(open_engine(settings, "backup"), folder, trigger, run, Heartbeat().beat, now).work()
    return os.EX_OK


def take(arguments: Namespace, settings: Settings) -> int:
    """Take a backup now; where the schedule asks, only if one is due."""
    folder = Folder(settings.backup_folder)
    folder.require_writable()
    trigger = schedule.parse(settings.backup_schedule)

    def wanted() -> bool:
        proven = folder.proven()
        last = proven[-1].started_at if proven else None
        return arguments.by_hand or schedule.is_due(trigger, last, now())

    manifest = Taker(
        engine=sessions.open_engine(settings),
        url=settings.url(),
        folder=folder,
        keep=timedelta(days=settings.backup_retention_days),
        clock=now,
    ).take(wanted)
    if manifest and arguments.by_hand:
        say(f"proven: restored and found equal. {listing.sentence(manifest)}")
    return os.EX_OK


def show(arguments: Namespace, settings: Settings) -> int:
    """List the proven backups."""
    proven = Folder(settings.backup_folder).proven()
    say(listing.as_json(proven) if arguments.json else listing.as_text(proven))
    return os.EX_OK


def verify(arguments: Namespace, settings: Settings) -> int:
    """Prove a backup again, the newest or a given one."""
    folder = Folder(settings.backup_folder)
    manifest = folder.find(arguments.id)
    proof.verify(manifest, folder)
    say(f"good: restored and found equal. {listing.sentence(manifest)}")
    return os.EX_OK


def restore(arguments: Namespace, settings: Settings) -> int:
    """Put a backup in the place of the live database, once somebody has said yes."""
    folder = Folder(settings.backup_folder)
    manifest = folder.find(arguments.at)
    say(restoring.warning(manifest, now()))
    if not arguments.yes and not confirmed():
        return os.EX_USAGE
    kept = restoring.restore(manifest, folder, settings, now())
    say(
        f"restored and found equal. {listing.sentence(manifest)}\n"
        f"The database as it was is now {kept}. "
        "A backup from an older release needs the migrations again."
    )
    return os.EX_OK


def confirmed() -> bool:
    """Ask, where somebody is there to answer; otherwise say how to answer beforehand."""
    if not sys.stdin.isatty():
        print("not restored: nobody is here to ask; say --yes beforehand", file=sys.stderr)  # noqa: T201 an answer
        return False
    print("Restore it? Write yes: ", end="", flush=True)  # noqa: T201 a question
    if sys.stdin.readline().strip().lower() == "yes":  # an end of input is no yes
        return True
    print("not restored", file=sys.stderr)  # noqa: T201 the answer of a command
    return False


def say(text: str) -> None:
    """Print what a command answers."""
    print(text)  # noqa: T201 the answer of a command
