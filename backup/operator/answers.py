"""What all verbs have in common: how they are asked, and how they answer."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any, NoReturn

from backup.errors import BusyError, DamagedError, RefusedError
from backup.repository.errors import TargetError
from backup.settings import Settings

Do = Callable[[Namespace, Settings], int]
# The first that fits: a locked repository is busy, a damaged one damaged, and both are targets.
CODES = [
    (BusyError, os.EX_TEMPFAIL),
    (DamagedError, os.EX_DATAERR),
    (TargetError, os.EX_UNAVAILABLE),
    (RefusedError, os.EX_USAGE),
]


class Parser(ArgumentParser):
    """Reads a command line; what it does not understand ends with 64, as all that was not done unasked."""

    def error(self, message: str) -> NoReturn:
        """Say how it is used, and what was wrong."""
        asked = Namespace(json="--json" in sys.argv)  # the line itself could not be read
        document(asked, message, os.EX_USAGE)
        self.print_usage(sys.stderr)
        self.exit(os.EX_USAGE, f"{self.prog}: {message}\n")


def verb(verbs: Any, name: str, do: Do, summary: str) -> ArgumentParser:
    """Add a verb, which answers people, or with --json programs."""
    parser: ArgumentParser = verbs.add_parser(name, help=summary, description=summary)
    parser.add_argument("--json", action="store_true", help="one JSON document, for programs")
    parser.add_argument("--job", type=int, metavar="N", help="tell each step to this job")
    parser.set_defaults(do=do, by_hand=True)
    return parser


def say(text: str) -> None:
    """Print what a command answers."""
    print(text)  # noqa: T201 the answer of a command


def answer(arguments: Namespace, text: str, document: Any) -> None:
    """Print the answer in the one form or the other."""
    say(json.dumps(document, indent=1, default=str) if arguments.json else text)


def code_of(error: BaseException) -> int:
    """Return the exit code that tells this error from others."""
    fitting = (code for kind, code in CODES if isinstance(error, kind))
    return next(fitting, 1)


def tell(arguments: Namespace, reason: str, code: int) -> None:
    """Say to who typed the command why it was not done."""
    document(arguments, reason, code)
    print(f"backup: {reason}", file=sys.stderr)  # noqa: T201 the answer of a command


def document(arguments: Namespace, reason: str, code: int) -> None:
    """Say to a program why it was not done."""
    if getattr(arguments, "json", False):
        say(json.dumps({"error": reason, "code": code}, indent=1))
