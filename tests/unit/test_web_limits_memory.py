"""What counts in memory: the same as the library counts, within bounds, from several threads."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerHour, RateLimitItemPerSecond
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from web.limits.memory import BoundedMemory

START = 1_000_000.0
WINDOW = 10


class LibrarysOwn(MemoryStorage):
    """The library's, without its thread, which reads the clock at times of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.timer.cancel()
        self.timer = threading.current_thread()  # type: ignore[assignment] # one that is alive


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as a list of one that the test sets."""
    now = [START]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


steps = st.lists(
    st.tuples(
        st.integers(0, 12),  # seconds that pass, and a bit: never the very edge of a window
        st.sampled_from(["a", "b", "c"]),
        st.integers(1, 4),  # how many at once
    ),
    max_size=60,
)


@given(steps, st.integers(1, 5))
def test_it_lets_through_what_the_library_lets_through(
    steps: list[tuple[int, str, int]], limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        now = [START]
        patch.setattr("time.time", lambda: now[0])
        ours, theirs = BoundedMemory(), LibrarysOwn()
        for number, (seconds, key, amount) in enumerate(steps):
            now[0] += seconds + number / 1000
            answers = [store.acquire_entry(key, limit, WINDOW, amount) for store in (ours, theirs)]
            windows = [store.get_moving_window(key, limit, WINDOW) for store in (ours, theirs)]

            assert answers[0] == answers[1]
            assert windows[0][1] == windows[1][1]
            if windows[0][1]:
                assert windows[0][0] == windows[1][0]


def test_flask_limiter_finds_it_by_its_name() -> None:
    assert isinstance(storage_from_string("bounded://"), BoundedMemory)


def test_it_starts_no_thread() -> None:
    before = threading.active_count()

    store = BoundedMemory()
    for number in range(100):
        store.acquire_entry(str(number), 5, WINDOW)

    assert threading.active_count() == before


def test_threads_lose_no_count() -> None:
    store = BoundedMemory()
    strategy, item = MovingWindowRateLimiter(store), RateLimitItemPerHour(1000)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: strategy.hit(item, "all"), range(3000)))

    assert answers.count(True) == 1000
    assert strategy.get_window_stats(item, "all").remaining == 0


def test_keys_whose_window_is_over_make_room_for_new_ones(clock: list[float]) -> None:
    store = BoundedMemory()
    for number in range(1000):
        store.acquire_entry(f"old {number}", 5, WINDOW)
    clock[0] += WINDOW + 1

    for number in range(500):
        store.acquire_entry(f"new {number}", 5, WINDOW)

    assert store.reset() == 500


def test_it_never_holds_more_keys_than_it_may() -> None:
    store = BoundedMemory(most_keys=100)

    for number in range(1000):
        assert store.acquire_entry(str(number), 5, WINDOW)

    assert store.reset() == 100


def test_a_flood_pushes_out_the_key_that_was_quiet_for_longest() -> None:
    store = BoundedMemory(most_keys=3)
    for key in ("quiet", "busy", "third", "busy"):
        store.acquire_entry(key, 2, WINDOW)

    store.acquire_entry("fourth", 2, WINDOW)

    assert store.acquire_entry("quiet", 2, WINDOW)
    assert not store.acquire_entry("busy", 2, WINDOW)


def test_a_flood_of_one_limit_leaves_the_keys_of_another() -> None:
    store = BoundedMemory(most_keys=10)
    store.acquire_entry("account", 1, WINDOW)

    for number in range(100):
        store.acquire_entry(f"address {number}", 50, WINDOW)

    assert not store.acquire_entry("account", 1, WINDOW)


def test_more_at_once_than_the_limit_has_are_refused() -> None:
    assert not BoundedMemory().acquire_entry("key", 5, WINDOW, amount=6)


def test_what_was_refused_after_its_window_leaves_no_empty_key(clock: list[float]) -> None:
    store = BoundedMemory()
    store.acquire_entry("key", 5, WINDOW)
    clock[0] += WINDOW + 1
    store.acquire_entry("key", 5, WINDOW, amount=6)

    assert store.acquire_entry("another", 5, WINDOW)


def test_key_can_be_cleared() -> None:
    strategy, item = MovingWindowRateLimiter(BoundedMemory()), RateLimitItemPerSecond(1)
    strategy.hit(item, "a")

    strategy.clear(item, "a")

    assert strategy.hit(item, "a")


def test_it_is_always_there() -> None:
    assert BoundedMemory().check() is True


@pytest.mark.parametrize("call", ["hit", "test", "get_window_stats"])
def test_other_strategies_are_refused_and_not_counted_wrongly(call: str) -> None:
    strategy: Any = FixedWindowRateLimiter(BoundedMemory())

    with pytest.raises(NotImplementedError, match="only moving windows"):
        getattr(strategy, call)(RateLimitItemPerHour(5), "key")
