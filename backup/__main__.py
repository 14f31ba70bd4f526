"""The backup worker: `python -m backup` runs the schedule, a verb does one thing now.

Exit codes: 0 done, 1 failed, 64 refused to restore unasked, 75 busy, 78 wrong settings.
"""

import logging
import os
import signal
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

import structlog

from backup import commands
from backup.errors import BackupError, BusyError, Interrupted
from backup.settings import Settings
from backup.waiting import wait_in_python
from common import logs
from common.settings import ConfigError

log = structlog.get_logger(__name__)


def parser() -> ArgumentParser:
    """Return what reads the command line; without a verb it is `work`."""
    root = ArgumentParser(
        prog="python -m backup", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    root.set_defaults(do=commands.work, by_hand=False)
    root.add_argument("--check", action="store_true", help="only read the settings, then exit")
    verbs = root.add_subparsers(title="verbs", metavar="")

    take = verbs.add_parser("take", help="take a backup now, prove it, and prune old ones")
    take.add_argument(
        "--scheduled", dest="by_hand", action="store_false", help="only if due; for the worker"
    )
    take.set_defaults(do=commands.take, by_hand=True)

    show = verbs.add_parser("list", help="list the proven backups")
    show.add_argument("--json", action="store_true", help="for programs")
    show.set_defaults(do=commands.show, by_hand=True)

    verify = verbs.add_parser("verify", help="restore a backup into a scratch server and compare")
    verify.add_argument("id", nargs="?", help="the newest if not given")
    verify.set_defaults(do=commands.verify, by_hand=True)

    restore = verbs.add_parser("restore", help="replace the live database by a backup")
    restore.add_argument("--at", metavar="ID", help="the newest if not given")
    restore.add_argument("--yes", action="store_true", help="do not ask")
    restore.set_defaults(do=commands.restore, by_hand=True)
    return root


def main() -> int:
    """Do what the command line asks; return the exit code."""
    arguments = parser().parse_args()
    try:
        return run(arguments)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 where settings are wrong there are no logs yet
        return os.EX_CONFIG
    except (BackupError, Interrupted) as error:
        tell(arguments, error)
        return os.EX_TEMPFAIL if isinstance(error, BusyError) else 1


def run(arguments: Namespace) -> int:
    """Read the settings, set up what the whole process shares, and do it."""
    settings = Settings.read()
    if arguments.check:
        return os.EX_OK
    logs.configure("backup", "CRITICAL" if arguments.by_hand else settings.log_level)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every tick
    os.umask(0o077)  # dumps hold everything
    raise_when_told_to_end()
    if arguments.do is not commands.work:
        wait_in_python()
    code: int = arguments.do(arguments, settings)
    return code


def tell(arguments: Namespace, error: BackupError | Interrupted) -> None:
    """Say why it was not done: to who typed the command, or in the log."""
    if arguments.by_hand:
        print(f"backup: {error}", file=sys.stderr)  # noqa: T201 the answer of a command
    else:
        log.error("backup failed", reason=str(error))


def raise_when_told_to_end() -> None:
    """Raise Interrupted in this thread at the first SIGTERM or SIGINT; ignore later ones."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)


def _end(_number: int, _frame: object) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # cleaning up is not to be interrupted
    raise Interrupted


if __name__ == "__main__":
    sys.exit(main())
