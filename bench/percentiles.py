"""The middle and the tail of many measurements."""

from collections.abc import Sequence
from statistics import quantiles


def p50_p99(values: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]
