"""Flask-Caching's stores, without the traps of their defaults."""

import re
import time
from itertools import islice
from typing import Any

from cachelib.serializers import BaseSerializer
from flask import Flask
from flask_caching.backends import RedisCache, SimpleCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.retry import Retry
from typing_extensions import override

from web.caching.entry import AsItIs, Entry, Packed
from web.settings import Settings

# With the largest page there may be (pages.LARGEST_BODY), 256 MB: half of what the container may use.
MOST_ENTRIES = 2000
AT_ONCE = 500  # keys that are looked at, or removed, by one command
SECONDS_TO_CONNECT = 0.3
SECONDS_TO_ANSWER = 0.5
CLASSES = {"SimpleCache": "InProcess", "RedisCache": "InValkey"}


class InProcess(SimpleCache):
    """A dictionary in this process."""

    serializer: BaseSerializer = AsItIs()  # type: ignore[assignment] # the library types it too narrowly

    @override
    def _remove_older(self) -> None:
        """Make room for many: the library sorts all entries for each one that it then removes."""
        by_end = sorted(self._cache, key=lambda key: self._cache[key][0])
        for key in by_end[: self._threshold // 10 + 1]:
            del self._cache[key]

    def sizes(self, most: int) -> dict[str, int]:
        """Return how many bytes each page or query result has, by its key; at most so many."""
        now, found = time.time(), list(self._cache.items())
        entries = ((key, value) for key, (ends, value) in found if ends == 0 or ends > now)
        sized = ((key, len(value.body)) for key, value in entries if isinstance(value, Entry))
        return dict(islice(sized, most))


class InValkey(RedisCache):
    """Valkey, which several processes share."""

    serializer: BaseSerializer = Packed()  # type: ignore[assignment] # the library types it too narrowly

    @override
    def add(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep the value unless there is one; in one command, or one without an end could be left."""
        name, seconds = f"{self._get_prefix()}{key}", self._normalize_timeout(timeout)
        added = self._write_client.set(name, self.serializer.dumps(value), ex=seconds, nx=True)
        return bool(added)

    def sizes(self, most: int) -> dict[str, int]:
        """Return how many bytes each page or query result has, by its key; at most so many."""
        prefix = self._get_prefix()
        names = self._read_client.scan_iter(match=f"{glob_escape(prefix)}* *", count=AT_ONCE)
        found = list(islice((name for name in names if is_entry(name, prefix)), most))
        lengths = self._read_client.pipeline(transaction=False)
        for name in found:
            lengths.strlen(name)
        return {
            name.decode(errors="replace").removeprefix(prefix): size
            for name, size in zip(found, lengths.execute(), strict=True)
        }

    @override
    def clear(self) -> bool:
        """Remove all that is kept; the library asks by KEYS, which our user of the stack's Valkey may not."""
        found = self._read_client.scan_iter(
            match=f"{glob_escape(self._get_prefix())}*", count=AT_ONCE
        )
        while some := list(islice(found, AT_ONCE)):
            self._write_client.unlink(*some)
        return True

    @classmethod
    @override
    def factory(
        cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> "InValkey":
        """Return the store at CACHE_REDIS_URL; nothing is connected before it is used."""
        client = Redis.from_url(
            config["CACHE_REDIS_URL"],
            socket_connect_timeout=SECONDS_TO_CONNECT,
            socket_timeout=SECONDS_TO_ANSWER,
            # Once, for a connection that ended while it was idle; the library's own would sleep in between.
            retry=Retry(NoBackoff(), 1, (ConnectionLostError,)),
        )
        return cls(client, key_prefix=config["CACHE_KEY_PREFIX"], **kwargs)


def glob_escape(text: str) -> str:
    """Return the text as a pattern that matches nothing else."""
    return re.sub(r"([*?\[\]^\\])", r"\\\1", text)


def is_entry(name: bytes, prefix: str) -> bool:
    """Return whether this is the key of a page or a query result, and of no tag and no lease."""
    return not name.startswith((f"{prefix}tag ".encode(), f"{prefix}lease ".encode()))


def config(settings: Settings) -> dict[str, Any]:
    """Return the configuration of Flask-Caching."""
    ours = CLASSES.get(settings.cache_type)
    store = settings.cache_store
    return {
        "CACHE_TYPE": f"{__name__}.{ours}" if ours else settings.cache_type,
        "CACHE_NO_NULL_WARNING": True,  # no cache is a choice here
        "CACHE_DEFAULT_TIMEOUT": settings.cache_default_timeout,
        "CACHE_THRESHOLD": MOST_ENTRIES,
        "CACHE_REDIS_URL": store.get_secret_value() if store else None,
        "CACHE_KEY_PREFIX": f"keelson:cache:{settings.base_url}:",  # sites may share one Valkey
    }
