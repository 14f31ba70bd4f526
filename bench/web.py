"""The web's figures: its pages beside a bare Flask on the same gunicorn, printed as tables.

With arguments, only those parts: pages, processes, layers.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import tests.conftest  # noqa: F401 it keeps the shell's settings out; the path comes first
from bench.ground import a_ground
from bench.load import Answered, middle
from bench.serving import Site, a_site

ROUNDS = 3
HEAD = "| {0} | requests/s | p50, ms | p99, ms | of bare Flask |\n|---|---|---|---|---|"
PAGES = {
    "cached page: the status page (aim 0.8)": "/",
    "page with one query, kept by nothing": "/query",
    "signed-in page: the account (aim 0.4)": "/account",
    "JSON: /api/v1/status": "/api/v1/status",
}
LAYERS = ("tracing and its log line", "sessions", "limits", "CSRF", "CORS", "headers")


def main() -> None:
    """Measure, and print Markdown that docs/measurements.md can take as it is."""
    wanted = sys.argv[1:] or ["pages", "processes", "layers"]
    print(
        f"Measured with `make bench-web` on {os.cpu_count()} cores, each the middle of {ROUNDS} rounds.\n"
    )
    with a_ground() as ground, a_site(ground) as site:
        if "pages" in wanted:
            pages(site, processes=1)
        if "processes" in wanted:
            pages(site, processes=2)
        if "layers" in wanted:
            layers(site)


def pages(site: Site, processes: int) -> None:
    """Measure the pages, in turns with bare Flask."""
    where = "one process" if processes == 1 else f"{processes} processes, with Valkey"
    print(HEAD.format(where))
    asked: dict[str, list[Answered]] = {name: [] for name in ("bare", *PAGES)}
    for _ in range(ROUNDS):
        with site.serving("bare", processes) as server:
            asked["bare"].append(server.ask("/hello"))
        with site.serving("whole", processes) as server:
            cookie = server.sign_in()
            for name, path in PAGES.items():
                asked[name].append(server.ask(path, cookie if path == "/account" else ""))
    bare = middle(asked.pop("bare"))
    print_row("bare Flask, hello", bare, bare)
    for name, rounds in asked.items():
        print_row(name, middle(rounds), bare)
    print(flush=True)


def layers(site: Site) -> None:
    """Measure hello behind one layer more each time; what a layer costs is the difference."""
    print(
        "| hello behind | requests/s | of bare Flask | this layer, microseconds a request |\n|---|---|---|---|"
    )
    names = ("bare Flask", *LAYERS)
    asked: list[list[Answered]] = [[] for _ in names]
    for _ in range(ROUNDS):
        for number, rounds in enumerate(asked):
            with site.serving(str(number), 1) as server:
                rounds.append(server.ask("/hello"))
    rates = [middle(rounds).per_second for rounds in asked]
    for name, rate, before in zip(names, rates, [rates[0], *rates], strict=False):
        cost = (1 / rate - 1 / before) * 1e6
        print(f"| {name} | {rate:,.0f} | {rate / rates[0]:.2f} | {cost:.0f} |", flush=True)
    print()


def print_row(name: str, measured: Answered, bare: Answered) -> None:
    """Print what one page came to."""
    print(
        f"| {name} | {measured.per_second:,.0f} | {measured.p50_ms:.1f} | {measured.p99_ms:.1f} "
        f"| {measured.per_second / bare.per_second:.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
