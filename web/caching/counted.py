"""What the cache did since its processes began, by the name of each view and query."""

from collections import defaultdict
from dataclasses import dataclass

from web.operation.figures import Counted

PREFIX = "keelson_cache_"


@dataclass(slots=True)
class Use:
    """How often something was answered from the cache, and how not."""

    name: str
    hits: int = 0
    misses: int = 0
    stale: int = 0
    refreshes: int = 0
    bypassed: int = 0
    errors: int = 0

    @property
    def share(self) -> float | None:
        """Return the part of the answers that were kept, fresh or not; None before the first."""
        kept = self.hits + self.stale
        asked = kept + self.misses + self.refreshes
        return kept / asked if asked else None


def read() -> list[Use]:
    """Return the use of each, by name; of all processes where they count together."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for metric in Counted().collect():
        what = metric.name.removeprefix(PREFIX)
        if metric.name.startswith(PREFIX) and what in Use.__slots__:
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    found[sample.labels["name"]][what] = int(sample.value)
    return [Use(name, **figures) for name, figures in sorted(found.items())]
