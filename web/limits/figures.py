"""What the limits did, for a monitoring system."""

from prometheus_client import Counter

BREACHES = Counter(
    "keelson_rate_limit_breaches", "Requests refused by a rate limit.", ["route", "rule"]
)
STORE_ERRORS = Counter(
    "keelson_rate_limit_store_errors", "Times that the store of the limits gave no answer."
)
UNWRITTEN = Counter(
    "keelson_rate_limit_breaches_unwritten",
    "Breaches that were logged and counted, but not written to the database.",
)
