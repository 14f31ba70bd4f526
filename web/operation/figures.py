"""Web's own figures: which requests it answered, how, and how fast; and those of all processes."""

from collections.abc import Iterable

from flask import Response, request
from prometheus_client import REGISTRY, Histogram, Metric, disable_created_metrics, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}  # a client may write any word
OTHER = "other"
UNKNOWN_ROUTE = "unknown"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
OURS = "keelson_"

# When a counter began would be a second series for each, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call] # the library types this one not

REQUESTS = Histogram(
    "keelson_http_request_seconds",
    "How long requests took, by route, method and class of status.",
    ["route", "method", "status"],
    buckets=SECONDS,
)


def count(route: str, method: str, status: int, seconds: float) -> None:
    """Count a request that was answered without Flask."""
    REQUESTS.labels(route, method, f"{status // 100}xx").observe(seconds)


def note(response: Response, seconds: float) -> None:
    """Count a request that was answered."""
    method = request.method if request.method in METHODS else OTHER
    status = f"{response.status_code // 100}xx"
    REQUESTS.labels(request.endpoint or UNKNOWN_ROUTE, method, status).observe(seconds)


class Counted(Collector):
    """What the processes counted; only our metrics, not the libraries' own of one process."""

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics, summed over all processes where there are several."""
        for metric in of_all_processes() if are_shared() else REGISTRY.collect():
            if metric.name.startswith(OURS):
                yield metric


def of_all_processes() -> Iterable[Metric]:
    """Return the sums over the processes, from their files."""
    collector = MultiProcessCollector(None)  # type: ignore[no-untyped-call] # the library's
    metrics: Iterable[Metric] = collector.collect()  # type: ignore[no-untyped-call] # likewise
    return metrics


def are_shared() -> bool:
    """Return whether several processes count together."""
    return values.ValueClass is not values.MutexValue


def forget(pid: int) -> None:
    """Forget what a process has in hand: it ended, or serves nobody; what it counted stays."""
    if are_shared():
        mark_process_dead(pid)  # type: ignore[no-untyped-call] # the library's
