"""pg_receivewal under supervision: it writes down the database's log, and is started again where it ends."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock, Thread

import structlog
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from backup import processes
from backup.errors import BackupError
from backup.postgres import programs
from backup.stream import slot
from common.database import reason_of

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60  # after which a failure is not one in a row


class Receiver:
    """Receives until it is stopped. `ready` is asked before each start for the folder to receive into."""

    def __init__(self, url: URL, ready: Callable[[], Path]) -> None:
        self._url = url
        self._ready = ready
        self._stopped = Event()
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        # A daemon: the program ends with this thread, and this thread with the worker.
        self._thread = Thread(target=self._supervise, name="receiver", daemon=True)
        self.folder: Path | None = None  # where it receives into, once it does
        self.trouble: str | None = None  # why it does not

    def start(self) -> None:
        """Begin to receive, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End it for good; what has arrived is on the disk."""
        self._stopped.set()
        self.renew()
        self._thread.join()

    def renew(self) -> None:
        """End the program; unless stopped, it is started again, and asks where to go on."""
        with self._lock:
            process = self._process
        if process is not None:
            processes.end_group(process)

    def _supervise(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopped.is_set():
            began = time.monotonic()
            self._attempt()
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._stopped.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _attempt(self) -> None:
        """Receive until the program ends, and keep why it did."""
        try:
            self.folder = self._ready()
            said = self._receive(self.folder)
        except (BackupError, SQLAlchemyError, OSError) as error:
            said = reason_of(error)
        if not self._stopped.is_set():
            self.trouble = f"the database's log is not being received: {said}"
            log.warning("receiving the log ended; it is tried again", reason=said)

    def _receive(self, folder: Path) -> str:
        """Run the program to its end, and return its last words."""
        source = programs.conninfo(self._url, application_name=slot.APPLICATION)
        options = ["--synchronous", "--status-interval=1", "--no-loop", "--no-password"]
        command = ["pg_receivewal", "--dbname", source, "--slot", slot.NAME, *options]
        with processes.started(
            [*command, "--directory", str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            environment=programs.environment(self._url.password),
        ) as process:
            with self._lock:
                self._process = process
            try:
                errors = self._followed(process, folder)
            finally:
                with self._lock:  # its number may soon be that of a stranger
                    self._process = None
        return processes.last_words(errors) or f"it ended with {process.returncode}"

    def _followed(self, process: subprocess.Popen[bytes], folder: Path) -> bytes:
        """Wait until the program ends, and return what it has complained of."""
        if self._stopped.is_set():
            return b""
        self.trouble = None
        log.info("receiving the log", folder=str(folder))
        _, errors = process.communicate()
        return errors
