"""Files that matter: complete or absent, and known by their digest."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".*.partial"


@contextmanager
def complete_or_absent(target: Path) -> Iterator[BinaryIO]:
    """Write `target` so that no reader, and no crash, ever sees half of it."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.replace(target)  # atomic: same directory, so same filesystem
        _sync_directory(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the file's digest as hexadecimal digits, reading it from the disk."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sync_directory(folder: Path) -> None:
    """Make the new name as durable as the content; without this a power cut can lose it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
