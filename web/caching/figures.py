"""What the cache did, for a monitoring system."""

from prometheus_client import Counter

HITS = Counter("keelson_cache_hits", "Answers that were kept, and fresh.", ["name"])
MISSES = Counter("keelson_cache_misses", "Answers that had to be made.", ["name"])
STALE = Counter("keelson_cache_stale", "Answers that were kept, and no longer fresh.", ["name"])
REFRESHES = Counter(
    "keelson_cache_refreshes", "Answers that were made while a stale one was there.", ["name"]
)
BYPASSED = Counter("keelson_cache_bypassed", "Answers that may not be kept.", ["name"])
ERRORS = Counter("keelson_cache_errors", "Answers that could not be made.", ["name"])
STORE_ERRORS = Counter(
    "keelson_cache_store_errors", "Times that the store of the cache gave no answer."
)


class Figures:
    """The counters of one cached page or query; finding them by name takes longer than counting."""

    def __init__(self, name: str) -> None:
        self.hits = HITS.labels(name)
        self.misses = MISSES.labels(name)
        self.stale = STALE.labels(name)
        self.refreshes = REFRESHES.labels(name)
        self.bypassed = BYPASSED.labels(name)
        self.errors = ERRORS.labels(name)
