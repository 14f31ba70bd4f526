"""Passwords, hashed with Argon2id; so few at once that their memory is bounded."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

AT_ONCE = 2  # hashes in a process: 64 MiB each, for some 0.1 s
LONGEST_WAIT_SECONDS = 5.0

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_places = BoundedSemaphore(AT_ONCE)


class BusyError(Exception):
    """More people sign in just now than this process can check; later it works."""


def make_hash(password: str) -> str:
    """Return what the database keeps of a password; raises BusyError."""
    with _place():
        return _hasher.hash(plain(password))


def is_right(password: str, password_hash: str | None) -> bool:
    """Return whether the hash is this password's; raises BusyError.

    Takes as long where there is no hash, so that nobody learns which addresses have an account.
    """
    with _place():
        try:
            nobodys = _nobodys()  # always, as the first one in a process takes longer
            matches = _hasher.verify(password_hash or nobodys, plain(password))
            return matches and bool(password_hash)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(password_hash: str) -> bool:
    """Return whether it was made with other costs than are asked for today."""
    return _hasher.check_needs_rehash(password_hash)


def plain(password: str) -> str:
    """Return the password as every keyboard would write it: some send an accent by itself."""
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    """Return a hash that no password is the right one for: `is_right` says no whatever it matches."""
    return _hasher.hash("nobody")


@contextmanager
def _place() -> Iterator[None]:
    """Wait for a place to compute in."""
    if not _places.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise BusyError
    try:
        yield
    finally:
        _places.release()
