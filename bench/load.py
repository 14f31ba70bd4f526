"""How many requests a server answers, asked by wrk from a container beside it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import docker

from tests.images import image

IMAGE = image("test-wrk")
CONNECTIONS = 8  # as many as web has threads
SECONDS = 4
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}  # in milliseconds


class LoadError(Exception):
    """What was measured is not what was meant; the message has what wrk printed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of asking for a while."""

    per_second: float
    p50_ms: float
    p99_ms: float


def ask(network: str, url: str, headers: Mapping[str, str]) -> Answered:
    """Ask for the page for a while; raises LoadError if any answer was an error."""
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency"]
    words += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    client = docker.from_env()
    printed: bytes = client.containers.run(IMAGE, [*words, url], network=network, remove=True)
    return read(printed.decode())


def read(printed: str) -> Answered:
    """Read what wrk printed."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    times = dict(re.findall(r"(50|99)%\s+([\d.]+(?:us|ms|s))", printed))
    if rate is None or "Non-2xx" in printed or times.keys() != {"50", "99"}:
        raise LoadError(printed)
    return Answered(float(rate[1]), milliseconds(times["50"]), milliseconds(times["99"]))


def milliseconds(written: str) -> float:
    """Return what wrk wrote, such as 1.23ms or 940.00us."""
    found = re.fullmatch(r"([\d.]+)(us|ms|s)", written)
    if found is None:
        message = f"not a time: {written}"
        raise LoadError(message)
    return float(found[1]) * UNITS[found[2]]


def middle(rounds: Sequence[Answered]) -> Answered:
    """Return the middle of several rounds, each figure by itself."""
    return Answered(
        median(one.per_second for one in rounds),
        median(one.p50_ms for one in rounds),
        median(one.p99_ms for one in rounds),
    )
