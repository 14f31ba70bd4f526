"""The store behind the cache. While it is away, nothing is found there, and nothing is kept."""

import math
import secrets
from threading import Lock
from typing import Any

from web.caching import release
from web.caching.backends import InProcess, InValkey
from web.caching.entry import Entry
from web.caching.figures import STORE_ERRORS
from web.outage import Outage

TAG_SECONDS = 30 * 86_400  # a tag that is not there is another version, so this may be any time
LEASE_SECONDS = 15  # how long one process alone may compute


class Store:
    """Entries, the versions of tags, and leases."""

    def __init__(self, backend: Any, app_env: str) -> None:
        self._backend = backend
        self._release = f"{release.fingerprint()} {app_env}"
        self._outage = Outage(
            STORE_ERRORS, "the cache is away, pages are made for each request", "the cache is back"
        )
        self._owed: set[str] = set()
        self._paying = Lock()
        self.is_shared = isinstance(backend, InValkey)
        self.keeps = isinstance(backend, InProcess | InValkey)

    def read(self, key: str, tags: tuple[str, ...]) -> tuple[Entry | None, tuple[str, ...]]:
        """Return the entry, unless its data has changed, and the versions that its tags have now."""
        if self._owed:
            self._pay()
        keys = (f"{self._release} {key}", *map(tag_key, tags))
        entry, *found = self._outage.ask(lambda: self._backend.get_many(*keys), [None] * len(keys))
        versions = tuple(version or "" for version in found)
        if not isinstance(entry, Entry) or entry.versions != versions:
            return None, versions
        return entry, versions

    def write(self, key: str, entry: Entry, seconds: float) -> None:
        """Keep the entry for this time; not where nobody could tell whether its data changed."""
        if seconds > 0 and all(entry.versions):
            name, whole = f"{self._release} {key}", math.ceil(seconds)
            self._outage.ask(lambda: self._backend.set(name, entry, whole), None)

    def versions(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Return the versions of these tags; "" while the store is away."""
        return tuple(map(self._version, tags))

    def _version(self, tag: str) -> str:
        key, new = tag_key(tag), secrets.token_hex(8)

        def find() -> str:
            known = self._backend.get(key)
            if known is None and self._backend.add(key, new, TAG_SECONDS):
                return new
            return known or self._backend.get(key) or ""

        return self._outage.ask(find, "")

    def void(self, *tags: str) -> None:
        """Give the tags new versions; where the store is away, before anything is read from it again."""
        for tag in tags:
            if not self._void(tag):
                with self._paying:
                    self._owed.add(tag)

    def _void(self, tag: str) -> bool:
        key, new = tag_key(tag), secrets.token_hex(8)
        return bool(self._outage.ask(lambda: self._backend.set(key, new, TAG_SECONDS), None))

    def _pay(self) -> None:
        """Void what could not be voided before; others who read wait for it."""
        with self._paying:
            for tag in list(self._owed):
                if self._void(tag):
                    self._owed.discard(tag)

    def sizes(self, most: int) -> dict[str, int]:
        """Return how many bytes each answer of this release has, by its key; at most so many."""
        nothing: dict[str, int] = {}
        if not self.keeps:
            return nothing
        found = self._outage.ask(lambda: self._backend.sizes(most), nothing)
        mine = f"{self._release} "
        return {key.removeprefix(mine): size for key, size in found.items() if key.startswith(mine)}

    def empty(self) -> bool:
        """Forget all answers, of other releases too; return whether the store was there."""
        return bool(self._outage.ask(lambda: self._backend.clear(), otherwise=False))  # noqa: PLW0108 not before it is asked

    def lease(self, key: str) -> bool:
        """Return whether this process is the one to compute; it is where there is nobody to ask."""
        if not self.is_shared:
            return True
        name = f"lease {self._release} {key}"
        return self._outage.ask(lambda: self._backend.add(name, "", LEASE_SECONDS), otherwise=True)

    def release(self, key: str) -> None:
        """Let another process compute."""
        if self.is_shared:
            name = f"lease {self._release} {key}"
            self._outage.ask(lambda: self._backend.delete(name), otherwise=False)


def tag_key(tag: str) -> str:
    """Return where the version of a tag is kept; all releases share it, as they share the data."""
    return f"tag {tag}"
