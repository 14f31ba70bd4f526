"""Where several processes count requests together: Valkey, without which nobody is refused."""

import time
from functools import partial

from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry
from typing_extensions import override

from web.limits.figures import STORE_ERRORS
from web.outage import Outage

PREFIX = "open+"  # it fails open
SECONDS_TO_CONNECT = 0.3
SECONDS_TO_ANSWER = 0.3


class SharedStore(RedisStorage):
    """Counts as limits does, but lets requests through at once while the store is away."""

    STORAGE_SCHEME = [f"{PREFIX}redis", f"{PREFIX}rediss"]  # noqa: RUF012 as in the library

    def __init__(self, uri: str, **_options: object) -> None:
        super().__init__(
            uri.removeprefix(PREFIX),
            socket_connect_timeout=SECONDS_TO_CONNECT,
            socket_timeout=SECONDS_TO_ANSWER,
            # The library's own would sleep and try again, in each request.
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type] # handed on to the client
        )
        self._outage = Outage(
            STORE_ERRORS, "rate limits are off: their store is away", "rate limits are on again"
        )

    @override
    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count the request; return False where it would be one too many."""
        count = partial(super().acquire_entry, key, limit, expiry, amount)
        return self._outage.ask(count, otherwise=True)

    @override
    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the first request of the window was, and how many it has."""
        look = partial(super().get_moving_window, key, limit, expiry)
        return self._outage.ask(look, otherwise=(time.time(), 0))

    @override
    def clear(self, key: str) -> None:
        """Forget a key; while the store is away nobody is refused, and nothing is forgotten."""
        self._outage.ask(partial(super().clear, key), otherwise=None)
