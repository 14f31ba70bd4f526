"""A PostgreSQL server of our own, while a proof takes: no network, no durability, no trace."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from backup.errors import BackupError
from backup.postgres import programs

# The image's: to copy it takes a tenth of what initdb takes, for each proof anew.
EMPTY_CLUSTER = Path("/usr/local/share/keelson/empty-cluster")
START_SECONDS = 60
POLL_SECONDS = 0.05
OPTIONS = {
    "listen_addresses": "",  # the socket lies in a folder that only we can enter
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "10",
    "max_parallel_workers": "0",  # they need shared memory, of which a container has little
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    "shared_buffers": "32MB",
    "maintenance_work_mem": "64MB",
}


@contextmanager
def server(folder: Path) -> Iterator[URL]:
    """Run a new, empty server in `folder`, removed at the end; yield its superuser's URL."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        shutil.copytree(EMPTY_CLUSTER, folder / "data")
        with _running(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path) -> Iterator[URL]:
    """Start the server, and yield its URL once it answers."""
    options = [f"--{name}={value}" for name, value in OPTIONS.items()]
    sockets = f"--unix_socket_directories={folder}"
    command = ["postgres", "-D", str(folder / "data"), sockets, *options]
    url, log = _url(folder), folder / "log"
    with (
        log.open("wb") as out,
        programs.started(command, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        _wait_until_it_answers(url, process, log)
        yield url


def open_engine(url: URL) -> Engine:
    """Return an engine that keeps no connection: the server is about to go."""
    return create_engine(url, poolclass=NullPool)


def _url(folder: Path) -> URL:
    query = {"host": os.fspath(folder)}
    return URL.create("postgresql+psycopg2", username="postgres", database="postgres", query=query)


def _wait_until_it_answers(url: URL, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            said = " / ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
            message = f"the scratch server to prove the backup did not start: {said}"
            raise BackupError(message)
        time.sleep(POLL_SECONDS)


def answers(url: URL) -> bool:
    """Say whether the server takes connections."""
    try:
        open_engine(url).connect().close()
    except OperationalError:
        return False
    return True
