"""What restic says: its JSON, its last words, and what its exit codes mean."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backup.repository.calls import Ended
from backup.repository.errors import (
    FullError,
    IncompleteError,
    LockedError,
    MissingError,
    RepositoryDamagedError,
    TargetError,
    VanishedError,
)
from backup.repository.targets import Target

PARTIAL, ABSENT, LOCKED, WRONG_KEY = 3, 10, 11, 12
LAST_WORDS = 3
NO_ACCESS = (
    "is BACKUP_S3_SECRET_ACCESS_KEY right for BACKUP_S3_ACCESS_KEY_ID, and may it use the bucket?"
)
TRACE = "\ngithub.com/"  # where restic goes on with what its programmers want to know
READING = {"check", "dump", "restore"}  # they look at every byte that they touch
DELETING = {"forget", "prune"}
REPEATABLE = {"dump", "restore"}
KNOWN = {PARTIAL, ABSENT, LOCKED, WRONG_KEY}
VANISHED = b"no matching ID found"
DAMAGE = (b"invalid data returned", b"ciphertext verification failed", b"is damaged")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One thing that was stored."""

    id: str
    time: datetime
    tags: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """What storing came to: the snapshot, bytes read, bytes that were new, bytes they took once packed."""

    snapshot: str
    bytes: int
    bytes_new: int
    bytes_stored: int
    seconds: float


def snapshots(answer: bytes) -> list[Snapshot]:
    """Return the snapshots that restic lists, oldest first."""
    made = [
        Snapshot(
            found["id"],
            datetime.fromisoformat(found["time"]),
            tuple(found.get("tags") or ()),
            tuple(found["paths"]),
        )
        for found in json.loads(answer)
    ]
    return sorted(made, key=lambda snapshot: snapshot.time)


def saved(summary: dict[str, Any], seconds: float) -> Saved:
    """Return what the summary of a backup says."""
    return Saved(
        snapshot=summary["snapshot_id"],
        bytes=summary["total_bytes_processed"],
        bytes_new=summary["data_added"],
        bytes_stored=summary["data_added_packed"],
        seconds=seconds,
    )


def read(line: bytes) -> dict[str, Any]:
    """Return a line of JSON as an object; an empty one if it is none."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def words(said: bytes) -> str:
    """Return restic's last words, of its JSON the message alone."""
    spoken = list(filter(None, map(_message, said.splitlines())))
    return " / ".join(dict.fromkeys(spoken[-LAST_WORDS:]))


def is_doubtful(verb: str, ended: Ended) -> bool:
    """Return whether a call could not read what it should, and nothing says that this is damage."""
    judged = ended.ended_for or ended.full or ended.code <= 0 or ended.code in KNOWN
    told = any(sign in ended.said for sign in (VANISHED, *DAMAGE))
    return verb in REPEATABLE and not judged and not told


def error(target: Target, verb: str, ended: Ended, source: Target | None = None) -> TargetError:
    """Return the error that tells what a call's end means; with a source either of the two may be at fault."""
    where = f"target {target.name}: restic {verb}"
    where += f" from {source.name}" if source else ""
    said = "; ".join(filter(None, [ended.ended_for, words(ended.said)])) or "it said nothing"
    no_access = target.kind == "s3" and b"Access" in ended.said
    if ended.full:
        room = "where it writes to" if verb in READING else f"at {target.location}"
        return FullError(f"{where}: there is no room {room}: {said}; make room, or let backups go")
    if ended.ended_for:
        cure = NO_ACCESS if no_access else "is the server, or its disk, well?"
        return TargetError(f"{where}: {said}; {cure}")
    if ended.code < 0:
        return TargetError(
            f"{where} was killed by signal {-ended.code}; it is done again next time"
        )
    if known := _known(where, target, ended.code, said):
        return known
    if verb in READING or any(sign in ended.said for sign in DAMAGE):
        cure = "mend it with `restic repair`, or move it away, and a new one is made"
        if source:
            cure = f"it does not say whether {source.name} or {target.name} is damaged; `make drill` reads both"
        return RepositoryDamagedError(f"{where} ended with {ended.code}: {said}; {cure}")
    hint = "; is the server append-only? then set BACKUP_REST_APPEND_ONLY" * (verb in DELETING)
    hint += f"; {NO_ACCESS}" * no_access
    return TargetError(f"{where} ended with {ended.code}: {said}{hint}")


def _known(where: str, target: Target, code: int, said: str) -> TargetError | None:
    """Return the error that restic has an exit code for."""
    if code == ABSENT:
        return MissingError(f"{where}: there is no repository at {target.location}")
    if code == LOCKED:
        return LockedError(f"{where}: another program is at work in it; try again later")
    if code == WRONG_KEY:
        return TargetError(
            f"{where}: our key does not open it; was BACKUP_REPOSITORY_KEY changed, or are the"
            " repository's own key files lost?"
        )
    if VANISHED.decode() in said:
        return VanishedError(
            f"{where}: what was stored there is not there any more; somebody has deleted it, or the server"
            " has lost it: use another backup"
        )
    if code == PARTIAL:
        return IncompleteError(f"{where}: not all could be read, so nothing counts: {said}")
    return None


def complaints(said: bytes) -> list[str]:
    """Return what was said of snapshots that can't be read; restic lists the others and ends well."""
    return [line.decode(errors="replace") for line in said.splitlines() if b"Ignoring" in line]


def _message(line: bytes) -> str:
    told = read(line)
    inner = told.get("error")
    text = told.get("message") or (inner.get("message") if isinstance(inner, dict) else "")
    if not told:
        text = line.decode(errors="replace").replace("\x1b[2K", "")
    return " ".join(str(text or "").partition(TRACE)[0].split())
