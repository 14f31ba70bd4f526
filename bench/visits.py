"""What a page takes: asked for one at a time, each answer whole, as one operator's browser would."""

import gzip
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from statistics import quantiles

import requests

from bench.load import LoadError
from bench.serving import BEHIND_EDGE

STATEMENTS = "X-Statements"  # apps.py tells it
WARM_UP = 2  # rounds: by then the connections are there, and the templates


@dataclass(slots=True)
class Visits:
    """What came of asking for one page some times."""

    path: str
    status: int = 0
    milliseconds: list[float] = field(default_factory=list)
    statements: int = 0
    size: int = 0
    zipped: int = 0

    @property
    def p50_p95(self) -> tuple[float, float]:
        """Return the median and the 95th percentile."""
        cuts = quantiles(self.milliseconds, n=20, method="inclusive")
        return cuts[9], cuts[18]


def visit(url: str, cookies: str, paths: Iterable[str], rounds: int) -> list[Visits]:
    """Ask for the pages in turns, so that a busy moment of the machine is not one page's alone."""
    found = [Visits(path) for path in paths]
    with requests.Session() as browser:
        browser.headers.update({**BEHIND_EDGE, "Cookie": cookies, "Accept-Encoding": "identity"})
        for number in range(WARM_UP + rounds):
            for one in found:
                ask(browser, url, one, is_counted=number >= WARM_UP)
    return found


def ask(browser: requests.Session, url: str, one: Visits, *, is_counted: bool) -> None:
    """Ask for it once; an answer such as `it takes too long` is one, too, but one that has no page is not."""
    begun = time.perf_counter()
    answer = browser.get(url + one.path, timeout=60, allow_redirects=False)
    took = (time.perf_counter() - begun) * 1_000
    if answer.status_code not in {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}:
        message = f"{one.path} answers {answer.status_code}: {answer.text[:500]}"
        raise LoadError(message)
    if is_counted:
        one.milliseconds.append(took)
    one.status = max(one.status, answer.status_code)
    one.statements = int(answer.headers[STATEMENTS])
    one.size, one.zipped = len(answer.content), len(gzip.compress(answer.content, 6))
