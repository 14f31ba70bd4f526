"""PostgreSQL's own programs, run so that no password is on a command line."""

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from psycopg2.extensions import make_dsn
from sqlalchemy.engine import URL

from backup import processes
from backup.errors import BackupError
from common.database import CONNECT_SECONDS

# Ends each of PostgreSQL's programs at once: pg_dump cancels its query, a server stops with all its processes.
END = signal.SIGQUIT
LONGEST_SECONDS = 12 * 3600.0  # the longest honest piece of work
_TCP = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


class ProgramError(BackupError):
    """A program failed; the message is what it said."""


def conninfo(url: URL, **more: str) -> str:
    """Return the URL as libpq's connection string, without the password, bounded in time."""
    _, options = url.get_dialect()().create_connect_args(url)
    options.pop("password", None)
    return make_dsn("", **{**options, **more}, connect_timeout=CONNECT_SECONDS, **_TCP)


def environment(password: str | None) -> dict[str, str]:
    """Return what tells a program its password, where only we and it can read it."""
    return {"PGPASSWORD": password or ""}


def run(
    name: str, *arguments: str, password: str | None = None, output: IO[bytes] | None = None
) -> None:
    """Run a program to its end, or raise a ProgramError with its last words."""
    pipes = {"stdout": output or subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with started([name, *arguments], password=password, **pipes) as process:
        try:
            _, errors = process.communicate(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            message = f"{name} was not done after {LONGEST_SECONDS:.0f} s; is its server, or its disk, well?"
            raise ProgramError(message) from None
    if process.returncode:
        said = processes.last_words(errors) or "it said nothing"
        message = f"{name} ended with {process.returncode}: {said}"
        raise ProgramError(message)


@contextmanager
def started(
    command: Sequence[str],
    *,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
    password: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program, and end it at the end, and also where we are killed ourselves."""
    with processes.started(
        command, stdout=stdout, stderr=stderr, environment=environment(password), end=END
    ) as process:
        yield process
