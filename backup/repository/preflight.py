"""Can a target be used? Found out in seconds, where restic would try for a quarter of an hour, and said why not."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from backup.repository import reaching_ssh, reaching_tls
from backup.repository.errors import FullError, TargetError
from backup.repository.targets import LOCAL, Target

if TYPE_CHECKING:  # a repository asks us whether it is away, or damaged
    from backup.repository.restic import Repository

ROOM = 64 * 1024**2  # restic writes a pack or two at a time


def check(repository: "Repository", room: int = 0) -> None:
    """Raise a TargetError where the target can't be used now; nothing is made there.

    `room` is how many bytes will be needed; kinds of target that can't tell are believed to have it.
    """
    reach(repository.target, room)


def reach(target: Target, room: int = 0) -> None:
    """Do it for a target that has its credentials."""
    wanted = max(room, ROOM)
    if target.kind == LOCAL:
        _local(target, wanted)
    elif target.kind == "sftp":
        free = reaching_ssh.log_in(target)
        if free is not None:
            _require_room(target, free, wanted)
    else:
        reaching_tls.shake_hands(target)


def _local(target: Target, wanted: int) -> None:
    folder = _nearest(Path(target.location))
    if not os.access(folder, os.W_OK | os.X_OK):
        message = (
            f"target {target.name}: user {os.getuid()} may not write to {folder};"
            " give it to this user, or mount a volume there that this user owns"
        )
        raise TargetError(message)
    _require_room(target, shutil.disk_usage(folder).free, wanted)


def _nearest(path: Path) -> Path:
    """Return the folder, or what is there of the way to it."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _require_room(target: Target, free: int, wanted: int) -> None:
    if free < wanted:
        message = (
            f"target {target.name}: {free // 1000**2} MB are free at {target.location}, and"
            f" {wanted // 1000**2} MB are needed; make room there, or keep fewer backups"
        )
        raise FullError(message)
