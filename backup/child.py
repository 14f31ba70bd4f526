"""A run as a process of its own: it can be ended at any moment, and breaks nothing but itself."""

import subprocess
from collections.abc import Sequence
from threading import Lock


class Child:
    """Runs one command at a time, until it is ended for good."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.ended = False

    def run(self) -> int:
        """Run the command to its end and return its exit code, below zero for a signal."""
        with self._lock:
            if self.ended:
                return 0
            process = self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)  # noqa: S603 our own
        return process.wait()

    def end(self) -> None:
        """Tell a run under way to end, and let no other begin; from another thread than `run`."""
        with self._lock:
            self.ended = True
            if self._process is not None:
                self._process.terminate()
