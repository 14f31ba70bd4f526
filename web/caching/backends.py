"""Flask-Caching's stores, without the traps of their defaults."""

from typing import Any

from cachelib.serializers import BaseSerializer
from flask import Flask
from flask_caching.backends import RedisCache, SimpleCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.retry import Retry
from typing_extensions import override

from web.caching.entry import AsItIs, Packed
from web.settings import Settings

# With the largest page there may be (pages.LARGEST_BODY), 256 MB: half of what the container may use.
MOST_ENTRIES = 2000
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


class InValkey(RedisCache):
    """Valkey, which several processes share."""

    serializer: BaseSerializer = Packed()  # type: ignore[assignment] # the library types it too narrowly

    @override
    def add(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep the value unless there is one; in one command, or one without an end could be left."""
        name, seconds = f"{self._get_prefix()}{key}", self._normalize_timeout(timeout)
        added = self._write_client.set(name, self.serializer.dumps(value), ex=seconds, nx=True)
        return bool(added)

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
