"""Files that matter: complete or absent."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".*.partial"
OLD_SECONDS = 3600.0  # nobody writes one file for so long


@contextmanager
def complete_or_absent(target: Path) -> Iterator[BinaryIO]:
    """Write `target` so that no reader, and no crash, ever sees half of it; of two writers the last one counts."""
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.replace(target)  # atomic: same directory, so same filesystem
        _sync_directory(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed writers have left, and nothing that somebody may be writing just now."""
    for partial in folder.rglob(PARTIAL):
        try:
            if abs(time.time() - partial.stat().st_mtime) > OLD_SECONDS:
                partial.unlink()
        except FileNotFoundError:  # complete by now
            continue


def _sync_directory(folder: Path) -> None:
    """Make the new name as durable as the content; without this a power cut can lose it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
