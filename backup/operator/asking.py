"""Asking before what can't be taken back, and saying how to agree where nobody is there to be asked."""

import sys

from backup.errors import RefusedError


def require_yes(warning: str, question: str, agreed: dict[str, bool]) -> None:
    """Return once somebody has agreed, or raise a RefusedError.

    `agreed` has each option that is an answer beforehand. A person is asked once, for all of them;
    where nobody is there, each has to be given.
    """
    print(warning, file=sys.stderr)  # noqa: T201 what the answer is about; standard output is for the answer
    missing = [option for option, given in agreed.items() if not given]
    if not missing:
        return
    if not sys.stdin.isatty():
        message = f"nothing was changed: nobody is here to ask; say {' '.join(missing)} beforehand"
        raise RefusedError(message)
    if not confirmed(question):
        message = "nothing was changed, as you have not written yes"
        raise RefusedError(message)


def confirmed(question: str) -> bool:
    """Ask; only a person who writes yes agrees."""
    if not sys.stdin.isatty():
        return False
    print(f"{question} Write yes: ", end="", file=sys.stderr, flush=True)  # noqa: T201 a question
    return sys.stdin.readline().strip().lower() == "yes"  # an end of input is no yes


def note(line: str) -> None:
    """Tell how it goes, beside the answer."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 how a command goes on
