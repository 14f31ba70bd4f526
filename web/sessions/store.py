"""Where sessions are kept, whatever keeps them."""

from dataclasses import dataclass
from typing import Protocol


class SessionStoreError(Exception):
    """The store cannot be read or written just now: nobody knows who has which session."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept under a key, and for how much longer."""

    content: bytes
    seconds_left: float


class Store(Protocol):
    """Keeps contents under keys, for a while; each method may raise a SessionStoreError.

    A key is 64 hexadecimal digits and tells nothing of the session's id.
    """

    def read(self, key: str) -> Found | None:
        """Return what is kept; None where nothing is, or nothing that web has written."""

    def write(self, key: str, content: bytes, seconds: int, *, only_if_there: bool = False) -> bool:
        """Keep the content; return False where it was to replace another that is no longer there."""

    def extend(self, key: str, seconds: int) -> bool:
        """Keep longer what is there, whatever it is by now; return False where nothing is."""

    def delete(self, key: str) -> bool:
        """Forget what is kept; return False where nothing was."""

    def check(self) -> None:
        """Find out whether the store can be used."""
