"""Whether the volume has room for what is about to be done."""

import shutil

from sqlalchemy import Connection, func, select

from backup.catalogue.folder import Folder
from backup.errors import NoRoomError

TIMES_THE_DUMP = 3  # the dump as a file, and a database with its indexes
SIZE = select(func.pg_database_size(func.current_database()))
AT_LEAST = 128 * 1024 * 1024  # an empty server, and its log


def require_for_proof(folder: Folder, dump_bytes: int) -> None:
    """Raise a NoRoomError where a dump of that size could not be restored beside the backups."""
    needed, free = _needed(dump_bytes), _free(folder)
    if free < needed:
        message = (
            f"no room to prove it: {_mb(free)} MB are free in {folder.path}, and {_mb(needed)} MB are needed"
            " (three times the dump); make the volume larger, or keep backups for fewer days"
            " (BACKUP_RETENTION_DAYS), then `make prune`"
        )
        raise NoRoomError(message)


def require_before_a_dump(folder: Folder, last_bytes: int, connection: Connection) -> None:
    """Do it before there is a dump: of the last one's size, or of the database's where that is smaller by now."""
    if _needed(last_bytes) > _free(folder):
        with connection.begin():
            size = connection.scalars(SIZE).one()
        require_for_proof(folder, min(last_bytes, size))


def _needed(dump_bytes: int) -> int:
    return max(TIMES_THE_DUMP * dump_bytes, AT_LEAST)


def _free(folder: Folder) -> int:
    return shutil.disk_usage(folder.path).free


def _mb(count: int) -> int:
    return count // 1_000_000
