"""One computation for all who want its result: the first computes, the others of this process wait."""

from threading import Event, Lock

from web.caching.entry import Entry


class Flight:
    """A computation under way."""

    def __init__(self) -> None:
        self._landed = Event()
        self.entry: Entry | None = None  # also None where it failed
        self.error: Exception | None = None  # why it failed
        self.shareable = True  # False where each must compute for themselves

    def land(self, entry: Entry | None, error: Exception | None, *, shareable: bool) -> None:
        """Hand the result to all who wait."""
        self.entry, self.error, self.shareable = entry, error, shareable
        self._landed.set()

    def wait(self, seconds: float) -> bool:
        """Return whether it ended within this time."""
        return self._landed.wait(seconds)


class Flights:
    """The computations under way in this process, by the key of their result."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_key: dict[str, Flight] = {}

    def board(self, key: str) -> tuple[Flight, bool]:
        """Return the flight of this key, and whether it is the caller who must land it."""
        with self._lock:
            if flight := self._by_key.get(key):
                return flight, False
            flight = self._by_key[key] = Flight()
            return flight, True

    def land(
        self, key: str, entry: Entry | None, error: Exception | None, *, shareable: bool
    ) -> None:
        """End the flight; who asks from now on begins another."""
        with self._lock:
            flight = self._by_key.pop(key)
        flight.land(entry, error, shareable=shareable)
