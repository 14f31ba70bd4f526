"""PostgreSQL's own programs, run so that none outlives us and no password is on a command line."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from psycopg2.extensions import make_dsn
from sqlalchemy.engine import URL

from backup.errors import BackupError
from common.database import CONNECT_SECONDS

FOLDER = Path("/usr/lib/postgresql/17/bin")
END_SECONDS = 10
_TCP = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


class ProgramError(BackupError):
    """A program failed; the message is what it said."""


def conninfo(url: URL) -> str:
    """Return the URL as libpq's connection string, without the password, bounded in time."""
    _, options = url.get_dialect()().create_connect_args(url)
    options.pop("password", None)
    return make_dsn("", **options, connect_timeout=CONNECT_SECONDS, **_TCP)


def run(
    name: str, *arguments: str, password: str | None = None, output: IO[bytes] | None = None
) -> None:
    """Run a program to its end, or raise a ProgramError with its last words."""
    pipes = {"stdout": output or subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with started([name, *arguments], password=password, **pipes) as process:
        _, errors = process.communicate()
    if process.returncode:
        said = " / ".join(errors.decode(errors="replace").strip().splitlines()[-3:])
        message = f"{name} ended with {process.returncode}: {said or 'it said nothing'}"
        raise ProgramError(message)


@contextmanager
def started(
    command: Sequence[str],
    *,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
    password: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a process group of its own, and end the whole group at the end.

    SIGQUIT ends each of PostgreSQL's programs at once: pg_dump cancels its query, a server stops
    with all its processes. setpriv lets the kernel send it where we are killed ourselves.
    """
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGPASSWORD": password or ""}
    process = subprocess.Popen(  # noqa: S603 the arguments are our own
        ["/usr/bin/setpriv", "--pdeathsig", "QUIT", "--", str(FOLDER / command[0]), *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        process_group=0,
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGQUIT)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
