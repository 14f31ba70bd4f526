"""A server that replays the log on a base backup up to an instant, and then opens."""

import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from backup.errors import BackupError, DamagedError
from backup.postgres import programs, scratch
from backup.stream import segments

POLL_SECONDS = 0.1
LONGEST_SECONDS = 12 * 3600  # the longest honest replay
INSIDE = text("SELECT pg_is_in_recovery()")

LAST = text("SELECT pg_last_xact_replay_timestamp()")

# PostgreSQL asks for each file of the log by name; the newest was not whole yet when it was stored.
# A low exit code tells it that the log ends here, so a failure needs one that makes it give up.
FETCH = """\
for folder in {folders}; do
    if [ -f "$folder/$1" ]; then cp "$folder/$1" "$2" || exit 255; exit 0; fi
done
for folder in {folders}; do
    if [ "$(stat -c %s "$folder/$1.partial" 2>&1)" = {size} ]; then cp "$folder/$1.partial" "$2" || exit 255; exit 0; fi
done
exit 1
"""

# What the cluster was told where it came from does not hold here.
OPTIONS = {
    "listen_addresses": "",  # the socket lies in a folder that only we can enter
    "ssl": "off",
    "hot_standby": "off",  # so it answers once it is done, and needs no more memory than we give it
    "archive_mode": "off",
    "archive_command": "",
    "primary_conninfo": "",
    "synchronous_standby_names": "",
    "summarize_wal": "off",
    "max_wal_senders": "0",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_connections": "20",
    "max_parallel_workers": "0",  # they need shared memory, of which a container has little
    "max_parallel_maintenance_workers": "0",
    "shared_buffers": "64MB",
    "maintenance_work_mem": "64MB",
    "recovery_target_action": "promote",
}


@contextmanager
def running(
    root: Path, data: Path, logs: Sequence[Path], instant: datetime | None
) -> Iterator[URL]:
    """Replay what lies in `logs`, the first before the others; yield the superuser's URL once it is open."""
    (data / "recovery.signal").touch()
    (root / "hba").write_text("local all all trust\n", encoding="utf-8")
    command = ["postgres", "-D", os.fspath(data), *_options(root, logs, instant)]
    words = root / "words"
    with (
        words.open("wb") as out,
        programs.started(command, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        url = _url(root)
        _wait_until_open(url, process, words)
        yield url


def _options(root: Path, logs: Sequence[Path], instant: datetime | None) -> list[str]:
    fetch = root / "fetch"
    fetch.write_text(fetching(logs), encoding="utf-8")
    quoted = shlex.quote(os.fspath(fetch)).replace("%", "%%")
    told = {
        **OPTIONS,
        "unix_socket_directories": os.fspath(root),
        "hba_file": os.fspath(root / "hba"),
        "restore_command": f"sh {quoted} %f %p",
    }
    if instant is not None:  # inclusive: what was committed at that very microsecond is there
        told["recovery_target_time"] = f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00"
    return [f"--{name}={value}" for name, value in told.items()]


def fetching(logs: Sequence[Path]) -> str:
    """Return the script that hands over a file of the log."""
    folders = " ".join(shlex.quote(os.fspath(folder)) for folder in logs)
    return FETCH.format(folders=folders, size=segments.SIZE)


def last_commit(url: URL) -> datetime | None:
    """Return when the last commit that was replayed was made; None where none was."""
    with scratch.open_engine(url).connect() as connection:
        found: datetime | None = connection.scalars(LAST).one()
    return found


def require_reached(last: datetime | None, until: datetime | None) -> None:
    """Raise a DamagedError where the last commit that was replayed comes before what was shipped for certain."""
    if until is not None and (last is None or last < until):
        message = (
            f"the log is known to reach {until.isoformat(' ')}, and its replay ended at"
            f" {last.isoformat(' ') if last else 'the base backup'}; restore an instant instead of the end"
        )
        raise DamagedError(message)


def _url(root: Path) -> URL:
    query = {"host": os.fspath(root)}
    return URL.create("postgresql+psycopg2", username="postgres", database="postgres", query=query)


def _wait_until_open(url: URL, process: subprocess.Popen[bytes], words: Path) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not _is_open(url):
        if process.poll() is not None or time.monotonic() > deadline:
            message = f"the log could not be replayed: {_complaints(words)}; try an earlier instant"
            raise BackupError(message)
        time.sleep(POLL_SECONDS)


def _is_open(url: URL) -> bool:
    try:
        with scratch.open_engine(url).connect() as connection:
            return not connection.scalars(INSIDE).one()
    except OperationalError:
        return False


def _complaints(words: Path) -> str:
    """Return the last errors that the server wrote, or, where there are none, its last words."""
    lines = words.read_text(errors="replace").strip().splitlines()
    wrong = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return " / ".join((wrong or lines)[-2:])
