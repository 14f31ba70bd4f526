"""Programs on a leash: none outlives us, none is waited for without an end."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PATH = "/usr/lib/postgresql/17/bin:/usr/bin:/bin"
END_SECONDS = 10


def leashed(command: Sequence[str], end: signal.Signals = signal.SIGTERM) -> list[str]:
    """Return the command so that the kernel ends it with that signal where its parent is killed."""
    return ["/usr/bin/setpriv", "--pdeathsig", end.name.removeprefix("SIG"), "--", *command]


@contextmanager
def started(  # noqa: PLR0913 what a program is given, each by its name
    command: Sequence[str],
    *,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
    environment: Mapping[str, str] | None = None,
    end: signal.Signals = signal.SIGTERM,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a process group of its own, and end the whole group at the end."""
    process = subprocess.Popen(  # noqa: S603 the arguments are our own
        leashed(command, end),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env={"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/tmp", **(environment or {})},  # noqa: S108 the container's own
        process_group=0,
    )
    try:
        yield process
    finally:
        end_group(process, end)
        for pipe in filter(None, [process.stdout, process.stderr]):
            pipe.close()


def end_group(process: subprocess.Popen[bytes], end: signal.Signals = signal.SIGTERM) -> None:
    """End a program and all that it started, first with `end`, after a while without mercy."""
    if process.poll() is None:
        os.killpg(process.pid, end)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with suppress(ProcessLookupError):  # what a killed program has started is in its group still
        os.killpg(process.pid, end)


def bytes_moved(pid: int) -> int:
    """Return how many bytes a program has read and written so far, from and to wherever; 0 where it is gone."""
    try:
        counters = Path(f"/proc/{pid}/io").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(counters[1]) + int(counters[3])  # rchar: 1 wchar: 2 ...


def last_words(said: bytes, lines: int = 3) -> str:
    """Return the end of what a program wrote to standard error, in one line."""
    return " / ".join(said.decode(errors="replace").strip().splitlines()[-lines:])
