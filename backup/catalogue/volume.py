"""The volume's own name: several may store at one target, and each lets go only what it has stored itself."""

import fcntl
import os
import uuid

from backup.catalogue import files
from backup.catalogue.folder import Folder

FILE = "volume"


def tag(folder: Folder) -> str:
    """Return what tells the snapshots of this volume from those of others."""
    path = folder.state / FILE
    if not path.exists():
        _make(folder)
    return f"volume:{path.read_text(encoding='utf-8')}"


def _make(folder: Folder) -> None:
    """Give it a name; of several processes that would, the first one's counts for all."""
    folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder.state, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # for the moment that it takes
        if not (folder.state / FILE).exists():
            with files.complete_or_absent(folder.state / FILE) as out:
                out.write(uuid.uuid4().hex.encode())
    finally:
        os.close(descriptor)
