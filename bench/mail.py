"""The mail's figures: measured on a database and a mailer of its own, printed as a table.

With arguments, only those parts: single, bulk, drain, latency, kills, retained, snapshot.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import tests.conftest  # noqa: F401 it keeps the shell's settings out; the path comes first
from bench import claiming, delivering, enqueueing, killing
from bench.ground import Ground, a_ground
from bench.table import Row, print_table

PARTS = {
    "single": enqueueing.single,
    "bulk": enqueueing.bulk,
    "drain": delivering.drain,
    "latency": delivering.latency,
    "kills": killing.kills,
    "retained": claiming.retained,
    "snapshot": claiming.snapshot,
}


def main() -> None:
    """Measure, and print Markdown that docs/measurements.md can take as it is."""
    wanted = sys.argv[1:] or list(PARTS)
    print(f"Measured with `make bench-mail` on {os.cpu_count()} cores.\n")
    with a_ground() as ground:
        print_table(rows(ground, wanted))


def rows(ground: Ground, wanted: list[str]) -> Iterator[Row]:
    """Measure the parts one after the other."""
    for part in wanted:
        yield from PARTS[part](ground)


if __name__ == "__main__":
    main()
