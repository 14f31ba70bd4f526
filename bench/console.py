"""The pages' figures: each page of the console, the public ones and the API, after a busy year, as tables.

With arguments, only the pages of these: console, public, API. Nothing is kept by a cache: each answer is made anew.
"""

import os
import sys
import time
from http import HTTPStatus
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import tests.conftest  # noqa: F401 it keeps the shell's settings out; the path comes first
from bench.addresses import addresses
from bench.ground import a_ground
from bench.serving import a_site
from bench.visits import Visits, visit
from bench.year import fill

ROUNDS = 20
MOST_MILLISECONDS = 200
HEAD = "| {0} | median, ms | p95, ms | statements | kB | gzip, kB |\n|---|---|---|---|---|---|"
NEWEST_BACKUP = "SELECT max(id) FROM backups WHERE state = 'proven'"


def main() -> None:
    """Measure, and print Markdown that docs/measurements.md can take as it is."""
    wanted = sys.argv[1:] or ["console", "public", "API"]
    with a_ground() as ground, a_site(ground) as site:
        begun = time.monotonic()
        fill(ground)
        print(
            f"Measured with `make bench-console` on {os.cpu_count()} cores, {ROUNDS} times each;",
            end=" ",
        )
        print(
            f"filling took {time.monotonic() - begun:.0f} s, the load was {os.getloadavg()[0]:.1f}.\n"
        )
        with site.serving("counted", 1, CACHE_TYPE="NullCache") as server:
            cookies = server.sign_in()
            for name, paths in addresses(ground.text(NEWEST_BACKUP)).items():
                if name in wanted:
                    print_visits(name, visit(server.url, cookies, paths, ROUNDS))
    print(f"The load was {os.getloadavg()[0]:.1f} at the end.")


def print_visits(name: str, visits: list[Visits]) -> None:
    """Print what the pages came to, the slowest first."""
    print(HEAD.format(name))
    for one in sorted(visits, key=lambda visits: visits.p50_p95, reverse=True):
        p50, p95 = one.p50_p95
        mark = (
            f" ({one.status})" if one.status > HTTPStatus.OK else " (!)" * (p50 > MOST_MILLISECONDS)
        )
        print(
            f"| `{one.path}` | {p50:.1f}{mark} | {p95:.1f} | {one.statements} | {one.size / 1e3:.1f} "
            f"| {one.zipped / 1e3:.1f} |"
        )
    print(flush=True)


if __name__ == "__main__":
    main()
