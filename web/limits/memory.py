"""Where requests are counted in one process: in memory, bounded, and without a thread.

The MemoryStorage of limits starts a timer's thread in nearly every request, which walks over all
keys under the GIL, and has no bound.
"""

import time
from array import array
from bisect import bisect_left
from collections import OrderedDict, defaultdict
from threading import Lock

from limits.storage import MovingWindowSupport, Storage
from typing_extensions import override

SCHEME = "bounded"
MOST_KEYS = 50_000  # of one limit; some 15 MB where each asked three times
SWEPT = 2  # keys that a new one looks at, so that expired ones go faster than new ones come

Window = OrderedDict[str, "array[float]"]  # the key that was let through last is the last


class BoundedMemory(Storage, MovingWindowSupport):
    """Counts moving windows as limits does, but forgets what expired while it counts others.

    Each limit has its own table, so that a flood of addresses does not push out the accounts.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 the library reads it from the class, typed otherwise

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = False,
        most_keys: int = MOST_KEYS,
        **options: float | str | bool,
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._most_keys = most_keys
        self._tables: defaultdict[tuple[int, int], Window] = defaultdict(OrderedDict)
        self._lock = Lock()

    @override
    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count the request and return True, or return False where it would be one too many."""
        if amount > limit:
            return False
        now = time.time()
        with self._lock:
            table = self._tables[limit, expiry]
            times = table.get(key)
            if times is None:
                times = array("d")
            else:
                del times[: bisect_left(times, now - expiry)]
            if len(times) + amount > limit:
                return False
            if key not in table:
                self._make_room(table, now - expiry)
            times.extend([now] * amount)
            table[key] = times
            table.move_to_end(key)
            return True

    def _make_room(self, table: Window, edge: float) -> None:
        """Forget keys whose window is over, and when the table is full the one that waited longest."""
        for _ in range(SWEPT):
            oldest = next(iter(table), None)
            if oldest is None:
                return
            if table[oldest][-1] >= edge and len(table) < self._most_keys:
                return
            del table[oldest]

    @override
    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the first request of the window was, and how many it has."""
        now = time.time()
        with self._lock:
            times = self._tables[limit, expiry].get(key, array("d"))
            first = bisect_left(times, now - expiry)
            return (times[first], len(times) - first) if first < len(times) else (now, 0)

    @override
    def clear(self, key: str) -> None:
        """Forget a key."""
        with self._lock:
            for table in self._tables.values():
                table.pop(key, None)

    @override
    def reset(self) -> int:
        """Forget all keys; return how many they were."""
        with self._lock:
            number = sum(map(len, self._tables.values()))
            self._tables.clear()
            return number

    @override
    def check(self) -> bool:
        """Return that memory is always there."""
        return True

    @property
    @override
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    @override
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Refuse to count by another strategy than ours."""
        raise NotImplementedError("only moving windows are counted here")

    @override
    def get(self, key: str) -> int:
        """Refuse likewise."""
        raise NotImplementedError("only moving windows are counted here")

    @override
    def get_expiry(self, key: str) -> float:
        """Refuse likewise."""
        raise NotImplementedError("only moving windows are counted here")
