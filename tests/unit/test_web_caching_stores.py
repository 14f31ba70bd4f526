"""Where entries are kept, and what is done while that is away."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from cachelib import SimpleCache
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import OutOfMemoryError
from redis.exceptions import TimeoutError as TooSlowError
from structlog.testing import capture_logs

from tests.waiting import eventually
from tests.web_app import some_settings
from web.caching import backends
from web.caching.backends import MOST_ENTRIES, InProcess, InValkey
from web.caching.entry import Entry, Packed
from web.caching.store import Store

ENTRY = Entry(b"body\nof two lines \xff", 1.5, 0.0, ("v1",), (("ETag", '"é"'),))


def in_process() -> InProcess:
    return InProcess(threshold=MOST_ENTRIES, default_timeout=3600)


def in_valkey(client: Any = None) -> InValkey:
    return InValkey(client or object(), key_prefix="keelson:")


@pytest.mark.parametrize("value", [ENTRY, Entry(b""), "a version", ""])
def test_what_is_kept_in_a_shared_store_comes_back_as_it_was(value: Entry | str) -> None:
    assert Packed().loads(Packed().dumps(value)) == value


class Attack:
    """What a pickle can do to who opens it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        """Run this."""
        return (pytest.fail, ("the store's content was run",))


@pytest.mark.parametrize("marker", [b"", b"!", b"e", b"v"])
def test_pickle_that_somebody_put_into_a_shared_store_is_not_opened(marker: bytes) -> None:
    found = Packed().loads(marker + pickle.dumps(Attack()))

    assert found is None or isinstance(found, str)


@given(st.binary())
def test_garbage_in_a_shared_store_is_as_good_as_nothing(garbage: bytes) -> None:
    for marker in (b"", b"e"):
        found = Packed().loads(marker + garbage)
        assert found is None or isinstance(found, Entry | str)


def test_store_in_the_process_copies_nothing() -> None:
    store = in_process()
    store.set("key", ENTRY)

    assert store.get("key") is ENTRY


def test_full_store_sorts_its_entries_once_for_many_that_it_removes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pruned: list[InProcess] = []
    older = InProcess._remove_older  # noqa: SLF001 what is counted

    def counted(store: InProcess) -> None:
        pruned.append(store)
        older(store)

    monkeypatch.setattr(InProcess, "_remove_older", counted)
    store = in_process()

    for number in range(MOST_ENTRIES * 2):
        store.set(f"key {number}", ENTRY, timeout=60 + number)

    assert store.get(f"key {MOST_ENTRIES * 2 - 1}") is ENTRY
    assert store.get("key 0") is None
    assert MOST_ENTRIES * 0.8 < len(store._cache) <= MOST_ENTRIES + 1  # noqa: SLF001 no other way to count
    assert len(pruned) <= 11


def test_the_librarys_own_sorts_for_each_entry_and_this_test_would_notice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(InProcess, "_remove_older", SimpleCache._remove_older)  # noqa: SLF001 the trap
    store = InProcess(threshold=10)

    for number in range(20):
        store.set(f"key {number}", ENTRY, timeout=60 + number)

    assert len(store._cache) == 11  # noqa: SLF001 it makes room for one at a time


@pytest.mark.parametrize(
    ("given_type", "kept_in"),
    [
        pytest.param("SimpleCache", "web.caching.backends.InProcess", id="default"),
        pytest.param("RedisCache", "web.caching.backends.InValkey", id="shared"),
        pytest.param("NullCache", "NullCache", id="none"),
    ],
)
def test_settings_choose_the_store(given_type: str, kept_in: str) -> None:
    settings = some_settings(cache_type=given_type, valkey_url="valkeys://u:p@valkey.example.org")

    config = backends.config(settings)

    assert config["CACHE_TYPE"] == kept_in
    assert config["CACHE_REDIS_URL"] == "rediss://u:p@valkey.example.org"
    assert config["CACHE_DEFAULT_TIMEOUT"] == 3600


class Recorder:
    """A client that keeps in mind what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    def set(self, name: str, _value: bytes, **options: object) -> bool:
        """Keep in mind."""
        self.told.append((name, options))
        return True


def test_lease_has_its_end_from_the_start() -> None:
    client = Recorder()

    assert in_valkey(client).add("lease", "", 15)

    assert client.told == [("keelson:lease", {"ex": 15, "nx": True})]


class Unsteady:
    """A store that can be away."""

    def __init__(self) -> None:
        self.inner = in_process()
        self.error: Exception | None = None
        self.asked = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*arguments: object) -> object:
            self.asked += 1
            if self.error:
                raise self.error
            return getattr(self.inner, name)(*arguments)

        return ask


ERRORS = [
    ConnectionLostError("refused"),
    TooSlowError("no answer"),
    OutOfMemoryError("full"),
    OSError("no route"),
]


@pytest.fixture
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.outage.PAUSE_SECONDS", 0.01)


def come_back(backend: Unsteady, store: Store) -> None:
    """End the outage, and wait until the store knows."""
    backend.error = None
    eventually(lambda: store.versions(("probe",)) != ("",), what="the store is asked again")


@pytest.mark.usefixtures("_quickly")
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_store_that_is_away_is_a_miss_until_it_is_back(error: Exception) -> None:
    backend = Unsteady()
    store = Store(backend, "development")
    store.write("key", ENTRY_WITHOUT_TAGS, 60)
    backend.error = error

    with capture_logs() as lines:
        away = [store.read("key", ()) for _ in range(5)]
        come_back(backend, store)
        back = [store.read("key", ()) for _ in range(5)]
        eventually(lambda: len(lines) > 1, what="it is told")

    assert away == [(None, ())] * 5
    assert back == [(ENTRY_WITHOUT_TAGS, ())] * 5
    assert [line["event"] for line in lines] == [
        "the cache is away, pages are made for each request",
        "the cache is back",
    ]


ENTRY_WITHOUT_TAGS = Entry(b"body", 1.0)


def test_our_own_mistake_with_the_store_is_not_taken_for_an_outage() -> None:
    backend = Unsteady()
    backend.error = TypeError("ours")

    with pytest.raises(TypeError):
        Store(backend, "development").read("key", ())


@pytest.mark.usefixtures("_quickly")
def test_change_that_the_store_could_not_be_told_of_voids_before_anything_is_read() -> None:
    backend = Unsteady()
    store = Store(backend, "development")
    store.write("key", Entry(b"old", 1.0, versions=store.versions(("tag",))), 60)
    assert store.read("key", ("tag",))[0]
    backend.error = ConnectionLostError("refused")

    store.void("tag")
    come_back(backend, store)

    assert store.read("key", ("tag",))[0] is None
    assert store.read("key", ("tag",))[0] is None


def test_entry_whose_tag_was_forgotten_is_void() -> None:
    backend = in_process()
    store = Store(backend, "development")
    store.write("key", Entry(b"old", 1.0, versions=store.versions(("tag",))), 60)

    backend.delete("tag tag")

    assert store.read("key", ("tag",))[0] is None


@pytest.mark.usefixtures("_quickly")
def test_entry_made_while_the_store_was_away_is_not_kept_as_nobody_could_void_it() -> None:
    backend = Unsteady()
    store = Store(backend, "development")
    backend.error = ConnectionLostError("refused")
    versions = store.versions(("tag",))
    come_back(backend, store)

    store.write("key", Entry(b"page", 1.0, versions=versions), 60)

    assert versions == ("",)
    assert store.read("key", ("tag",))[0] is None


def test_other_release_or_site_does_not_find_our_pages() -> None:
    backend = in_process()
    ours, theirs = Store(backend, "development"), Store(backend, "production")

    ours.write("key", ENTRY_WITHOUT_TAGS, 60)

    assert theirs.read("key", ())[0] is None
    prefixes = {
        backends.config(some_settings(base_url=url))["CACHE_KEY_PREFIX"]
        for url in ("https://a.example.org", "https://b.example.org")
    }
    assert len(prefixes) == 2
