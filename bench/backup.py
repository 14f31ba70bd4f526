"""The backups' figures: ours beside PostgreSQL's own programs, pgBackRest and Barman, in one run, as a table.

With arguments, only those parts: dump, restore, load, peers. SCALE= sets the size (25 MB a step, default 60).
"""

import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import tests.conftest  # noqa: F401 it keeps the shell's settings out; the path comes first
from bench.cluster import Cluster, a_cluster

ROUNDS = 3
SCALE = int(os.environ.get("SCALE", "60"))
LOAD_SECONDS = 40
HEAD = "| what | seconds | of raw | stored, MB | aim |\n|---|---|---|---|---|"
RAW_DUMP = "pg_dump --format=custom --compress=0 >/dev/null"
PIPED = "set -o pipefail; pg_dump | gzip >/dev/null"
APPEND = "INSERT INTO events SELECT 10000000 + n, now(), md5(n::text), 'appended' FROM generate_series(1, 15000) AS n"
SCATTER = "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 97 = 0"


def main() -> None:
    """Measure, and print Markdown that docs/measurements.md can take as it is."""
    wanted = sys.argv[1:] or ["dump", "restore", "load", "peers"]
    with a_cluster() as cluster:
        cluster.fill(SCALE)
        print(
            f"Measured with `make bench-backup` on {os.cpu_count()} cores;"
            f" the database is {cluster.megabytes():,.0f} MB. Raw figures are the middle of {ROUNDS}.\n"
        )
        raw = middle(lambda: cluster.seconds(RAW_DUMP))
        if "dump" in wanted:
            dumps(cluster, raw)
        if "restore" in wanted:
            restores(cluster)
        if "load" in wanted:
            load(cluster)
        if "peers" in wanted:
            peers(cluster, raw)


def middle(measure: Callable[[], float]) -> float:
    """Return the middle of some rounds."""
    return statistics.median(measure() for _ in range(ROUNDS))


def dumps(cluster: Cluster, raw: float) -> None:
    """Measure taking backups: the first, one of the same content, one after changes, and bases."""
    print(HEAD)
    row("`pg_dump -Fc -Z0` to nowhere: raw", raw, raw)
    row("`pg_dump \\| gzip` to nowhere", cluster.seconds(PIPED), raw)
    taken = taking(cluster, "first", raw)
    unchanged = taking(cluster, "unchanged", raw)
    cluster.sql(APPEND)
    taking(cluster, "15,000 rows appended", raw)
    cluster.sql(SCATTER)
    taking(cluster, "1 % of the rows changed, all over", raw)
    share = unchanged["bytes_stored"] / taken["bytes_stored"]
    print(f"\nUnchanged content stored {share:.2%} of the first (aim: at most 1 %).\n")
    print(HEAD)
    base = "pg_basebackup --pgdata=/var/lib/keelson/backups/raw --wal-method=none --checkpoint=fast"
    plain = cluster.seconds(f"{base}; rm -rf /var/lib/keelson/backups/raw")
    row("`pg_basebackup` to the disk: raw", plain, plain)
    first = cluster.receive()
    took, made = clocked(lambda: cluster.verb("base"))
    row("ours, base: first", first["seconds"], plain, first["bytes_stored"])
    row("ours, base: again", took, plain, made["bytes_stored"])
    print(flush=True)


def taking(cluster: Cluster, name: str, raw: float) -> dict[str, Any]:
    """Take a backup, and print what the dump took and what it all took."""
    took, made = clocked(lambda: cluster.verb("take"))
    dumped = made["steps"]["dump"]
    row(f"ours, {name}: stored", dumped, raw, made["bytes_stored"], "1.3")
    row(f"ours, {name}: proven", took, raw, None, "3")
    return made


def restores(cluster: Cluster) -> None:
    """Measure a restore from the repository, checked and swapped in, beside pg_restore alone."""
    print(HEAD)
    cluster.verb("take")
    dump = "/var/lib/keelson/backups/raw.dump"
    cluster.shell(f"pg_dump --format=custom --compress=0 --file={dump}")
    cluster.sql("CREATE DATABASE raw TEMPLATE template0 OWNER keelson_owner")
    script = f"pg_restore --jobs=2 --no-owner --no-privileges --dbname=raw {dump}"
    plain = cluster.seconds(script, "owner")
    cluster.sql("DROP DATABASE raw")
    cluster.shell(f"rm {dump}")
    row("`pg_restore -j2` of a file: raw", plain, plain)
    restored = ["restore", "--yes", "--end-connections"]
    took, _ = clocked(lambda: cluster.verb(*restored, part="owner"))
    row("ours: read back, restored, compared, swapped in", took, plain, None, "1.3")
    cluster.verb("drop-old", "--yes", part="owner")
    print(flush=True)


def load(cluster: Cluster) -> None:
    """Measure what is left of pgbench's throughput while a backup is taken."""
    print("| pgbench, 8 clients | transactions/s | of alone | aim |\n|---|---|---|---|")
    with cluster.pgbench(LOAD_SECONDS) as alone:
        alone.wait(timeout=LOAD_SECONDS + 60)
        rates = rates_of(alone)
    quiet = statistics.median(rates)
    print(f"| alone | {quiet:,.0f} | 1.00 | |", flush=True)
    with cluster.pgbench(600) as busy:
        dumped: dict[str, Any] = {}
        run = Thread(target=lambda: dumped.update(cluster.verb("take")))
        run.start()
        run.join()
        rates = rates_of(busy)
    during = statistics.median(rates)
    print(
        f"| during a backup and its proof | {during:,.0f} | {during / quiet:.2f} | 0.6 |\n",
        flush=True,
    )


def rates_of(container: Any) -> list[float]:
    """Return the transactions of each second that pgbench has printed, without the first two."""
    printed = container.logs().decode()
    return [float(rate) for rate in re.findall(r"progress: .*?, ([\d.]+) tps", printed)][2:]


def peers(cluster: Cluster, raw: float) -> None:
    """Measure the others; last, for they have the database's files to themselves."""
    print(HEAD)
    for name, seconds, size in cluster.measure_peers():
        row(name, seconds, raw, size)
    print(flush=True)


def clocked(do: Callable[[], dict[str, Any]]) -> tuple[float, dict[str, Any]]:
    """Return how long it took, and what it gave."""
    start = time.monotonic()
    found = do()
    return time.monotonic() - start, found


def row(name: str, seconds: float, raw: float, stored: int | None = None, aim: str = "") -> None:
    """Print one row as soon as it is known."""
    size = "" if stored is None else f"{stored / 1e6:,.1f}"
    print(f"| {name} | {seconds:.1f} | {seconds / raw:.2f} | {size} | {aim} |", flush=True)


if __name__ == "__main__":
    main()
