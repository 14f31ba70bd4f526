"""What is wanted of the cache, and what it hands out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from web.caching.entry import Entry
from web.caching.figures import Figures


@dataclass(frozen=True, slots=True)
class Unkept:
    """An answer that is for one request alone."""

    answer: Any


Made = Entry | Unkept


@dataclass(frozen=True, slots=True)
class Terms:
    """How long an answer may be shown."""

    fresh_seconds: float | None = None  # None: CACHE_DEFAULT_TIMEOUT
    stale_seconds: float = 0  # after that, while one request makes a newer one
    stale_on_error_seconds: float = 0  # likewise, while the database is away
    on: tuple[str, ...] = ()  # the tags that void it before


KEPT_PAGE = "keelson.kept_page"  # in the environ of a request that was answered with one


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted, and how to make it."""

    key: str
    terms: Terms
    figures: Figures
    make: Callable[[], Made]


@dataclass(frozen=True, slots=True)
class KeptPage:
    """What a request was answered with, what was asked of the cache for it, and by which view."""

    job: Job
    entry: Entry
    endpoint: str
    view: Callable[..., Any]
