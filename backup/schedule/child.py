"""A run as a process of its own: it can be ended at any moment, and breaks nothing but itself."""

import subprocess
from collections.abc import Sequence
from threading import Lock

import structlog

LONGEST_SECONDS = 24 * 3600.0  # each step has its own limit; this is for what none has foreseen
END_SECONDS = 60.0  # a run that is told to end cleans up

log = structlog.get_logger(__name__)


class Child:
    """Runs one command at a time, until it is ended for good."""

    def __init__(
        self,
        command: Sequence[str],
        longest_seconds: float = LONGEST_SECONDS,
        end_seconds: float = END_SECONDS,
    ) -> None:
        self._command = command
        self._longest_seconds = longest_seconds
        self._end_seconds = end_seconds
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.ended = False

    def run(self, *arguments: str) -> int:
        """Run the command with these arguments to its end and return its exit code, below zero for a signal.

        One that comes to no end is ended.
        """
        with self._lock:
            if self.ended:
                return 0
            process = self._process = subprocess.Popen(  # noqa: S603 our own
                [*self._command, *arguments], stdin=subprocess.DEVNULL
            )
        try:
            return process.wait(self._longest_seconds)
        except subprocess.TimeoutExpired:
            log.error("a run came to no end, so it is ended", run=arguments)  # noqa: TRY400 the words say all
            return self._ended(process)

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        process.terminate()
        try:
            return process.wait(self._end_seconds)
        except subprocess.TimeoutExpired:
            process.kill()  # what it has started is on its leash
            return process.wait()

    def end(self) -> None:
        """Tell a run under way to end, and let no other begin; from another thread than `run`."""
        with self._lock:
            self.ended = True
            if self._process is not None:
                self._process.terminate()
