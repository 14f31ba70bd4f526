"""Whether the volume has room for a cluster beside the backups."""

import shutil

from backup.catalogue.folder import Folder
from backup.errors import BackupError

MARGIN = 128 * 1024**2  # the log's newest files, and what changes meanwhile


def require(folder: Folder, needed: int, purpose: str) -> None:
    """Raise a BackupError where so many bytes, and a margin, are not free."""
    free, wanted = shutil.disk_usage(folder.path).free, needed + MARGIN
    if free < wanted:
        message = (
            f"no room for {purpose}: {_mb(free)} MB are free in {folder.path}, and {_mb(wanted)} MB are"
            " needed; make the volume larger, or keep backups for fewer days"
        )
        raise BackupError(message)


def _mb(count: int) -> int:
    return count // 1_000_000
