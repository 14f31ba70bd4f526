"""A run as a process of its own: it can be ended at any moment, and breaks nothing but itself."""

import subprocess
from collections.abc import Sequence
from tempfile import TemporaryFile
from threading import Lock
from typing import IO

import structlog

from backup.schedule.answers import Output

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
        return self._run(arguments)

    def answered(self, *arguments: str) -> Output:
        """Run the command likewise, and return what it has said too."""
        with TemporaryFile() as out, TemporaryFile() as errors:
            code = self._run(arguments, out, errors)
            return Output(code, _read(out), _read(errors))

    def _run(
        self,
        arguments: Sequence[str],
        out: IO[bytes] | None = None,
        errors: IO[bytes] | None = None,
    ) -> int:
        with self._lock:
            if self.ended:
                return 0
            process = self._process = subprocess.Popen(  # noqa: S603 our own
                [*self._command, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=errors
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


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
