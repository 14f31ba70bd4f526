"""Proof that a loop still comes round, as a file that the health check reads.

python -m common.heartbeat SECONDS    exit 0 while the last beat is younger than that
"""

import sys
import time
from pathlib import Path

FILE = Path("/tmp/heartbeat")  # noqa: S108 each container has its own /tmp, and one process in it


class Heartbeat:
    """A file touched on each pass of a loop: too old means stuck, whatever the process says."""

    def __init__(self, path: Path = FILE) -> None:
        self._path = path

    def beat(self) -> None:
        """Record that the loop came round once more."""
        self._path.touch()

    def age_seconds(self) -> float | None:
        """Return the seconds since the last beat, or None before the first; changes nothing.

        A beat from the future was before the clock was set back: it says nothing of now.
        """
        try:
            return abs(time.time() - self._path.stat().st_mtime)
        except FileNotFoundError:
            return None


def main() -> int:
    """Return 0 where the heartbeat is young enough, 1 where it is not."""
    limit_seconds = float(sys.argv[1])
    age_seconds = Heartbeat(FILE).age_seconds()
    if age_seconds is not None and age_seconds < limit_seconds:
        return 0
    seen = "never came" if age_seconds is None else f"is {age_seconds:.0f} s old"
    print(f"the heartbeat {seen}; {limit_seconds:.0f} s are allowed")  # noqa: T201 for `docker inspect`
    return 1


if __name__ == "__main__":
    sys.exit(main())
