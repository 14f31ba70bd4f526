"""The backup worker: `python -m backup` runs the schedule, a verb does one thing now.

Exit codes: 0 done, 1 failed, 64 refused unasked or not understood, 65 damaged, 69 a target can't be used,
75 busy, 78 wrong settings. With --json the answer is one JSON document, also where it is an error.
"""

import logging
import os
import signal
import sys
from argparse import Namespace, RawDescriptionHelpFormatter

import structlog
from sqlalchemy.exc import SQLAlchemyError

from backup import steps
from backup.errors import BackupError, Interrupted
from backup.operator import (
    answers,
    aside,
    drills,
    history,
    kit,
    listing,
    machines,
    points,
    restores,
    runs,
    status,
    targets,
    verifying,
    watching,
)
from backup.operator.work import work
from backup.postgres.waiting import wait_in_python
from backup.settings import Settings
from common import logs
from common.database import reason_of
from common.settings import ConfigError

VERBS = (
    runs,
    listing,
    verifying,
    restores,
    aside,
    machines,
    kit,
    points,
    history,
    drills,
    status,
    targets,
    watching,
)
log = structlog.get_logger(__name__)


def parser() -> answers.Parser:
    """Return what reads the command line; without a verb it is `work`."""
    root = answers.Parser(
        prog="python -m backup", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    root.set_defaults(do=work, by_hand=False, job=None)
    root.add_argument("--check", action="store_true", help="only read the settings, then exit")
    verbs = root.add_subparsers(title="verbs", metavar="")
    for module in VERBS:
        module.add_to(verbs)
    return root


def main() -> int:
    """Do what the command line asks; return the exit code."""
    arguments = parser().parse_args()
    try:
        return run(arguments)
    except ConfigError as error:
        answers.document(arguments, str(error), os.EX_CONFIG)
        print(error, file=sys.stderr)  # noqa: T201 where settings are wrong there are no logs yet
        return os.EX_CONFIG
    except (BackupError, Interrupted) as error:
        tell(arguments, str(error), answers.code_of(error))
        return answers.code_of(error)
    except (SQLAlchemyError, OSError) as error:
        tell(arguments, reason_of(error), answers.code_of(error))
        return answers.code_of(error)


def run(arguments: Namespace) -> int:
    """Read the settings, set up what the whole process shares, and do it."""
    settings = Settings.read()
    if arguments.check:
        return os.EX_OK
    logs.configure("backup", "CRITICAL" if arguments.by_hand else settings.log_level)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every tick
    os.umask(0o077)  # dumps hold everything
    raise_when_told_to_end()
    if arguments.do is not work:
        wait_in_python()
    with steps.to_job(settings, arguments.job):
        code: int = arguments.do(arguments, settings)
    return code


def tell(arguments: Namespace, reason: str, code: int) -> None:
    """Say why it was not done: to who typed the command, or in the log."""
    if arguments.by_hand:
        answers.tell(arguments, reason, code)
    else:
        log.error("it was not done", reason=reason)


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
