"""A repository: encrypted, deduplicated, checked by its keys; restic does it, we watch over restic."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import structlog

from backup import processes
from backup.repository import answers
from backup.repository.answers import Saved, Snapshot
from backup.repository.errors import MissingError, TargetError, VanishedError
from backup.repository.program import Answer, Program
from backup.repository.targets import Target

__all__ = ["HOST", "Repository", "Saved", "Snapshot"]
log = structlog.get_logger(__name__)

HOST = "keelson"  # one name for all machines that the stack has ever lived on: snapshots are found by it
STILL_SECONDS = 120.0  # of a disk beside us
STILL_ELSEWHERE_SECONDS = (
    1200.0  # a pack takes long on a slow line, and restic tries it again and again
)
AT_ONCE = 500  # snapshots that one call lets go: an id has 64 characters, and a command line an end
LONG_SECONDS = 12 * 3600.0  # the longest honest piece of work
FIRST_SECONDS = 30.0  # the first question, to which a server that does not want us may say nothing


class Repository:
    """One target's repository, opened by its key. Each method is one call of restic."""

    def __init__(
        self, target: Target, key: str, cache: Path | None, still_seconds: float | None = None
    ) -> None:
        self.target = target
        self.id: str | None = None  # the repository's own, once `exists` has found it
        self.program = Program(target, key, cache)
        still = STILL_ELSEWHERE_SECONDS if target.off_site else STILL_SECONDS
        self._limits = (LONG_SECONDS, still_seconds or still)

    def exists(self) -> bool:
        """Return whether there is a repository that our key opens."""
        try:
            answer = self.program.run(["cat", "config", "--no-lock"], FIRST_SECONDS)
        except MissingError:
            self.id = None
            return False
        self.id = answers.read(answer.out).get("id")
        return True

    def create(self, like: "Repository | None" = None) -> None:
        """Make the repository; cut into the same pieces as `like`, so that copies share what they have."""
        more = ["--copy-chunker-params", *_source(like)] if like else []
        self.program.run(["init", *more], source=like.program if like else None)

    def save_output(
        self,
        command: Sequence[str],
        name: str,
        tags: Sequence[str],
        environment: Mapping[str, str],
    ) -> Saved:
        """Store what a program writes, as a file of that name; nothing is stored where it fails.

        The program ends with restic, however that ends.
        """
        options = ["--stdin-from-command", "--stdin-filename", name]
        return self._save([*options, "--", *processes.leashed(command)], tags, environment)

    def save_folder(self, folder: Path, tags: Sequence[str]) -> Saved:
        """Store a folder and all in it, or raise an IncompleteError where something could not be read."""
        return self._save([os.fspath(folder)], tags, {})

    def copy_from(self, source: "Repository", snapshots: Sequence[str]) -> None:
        """Copy snapshots of another repository here; those that are here already are left as they are."""
        if snapshots:
            command = ["copy", *_source(source), *snapshots]
            answer = self._work(command, source.program)
            source.require_all_found(answer.said)

    def require_all_found(self, said: bytes) -> None:
        """Raise a VanishedError where restic has left out what it was asked for: it ends well all the same."""
        left_out = answers.complaints(said)
        if left_out:
            message = f"target {self.target.name}: {len(left_out)} snapshots can't be copied from there: {left_out[0]}"
            raise VanishedError(message)

    def snapshots(self, *tags: str) -> list[Snapshot]:
        """Return what is stored with all of these tags, oldest first; a damaged one is logged, and not there."""
        wanted = [f"--tag={','.join(tags)}"] if tags else []
        answer = self.program.run(["snapshots", "--no-lock", "--json", "--host", HOST, *wanted])
        for complaint in answers.complaints(answer.said):
            log.error("a snapshot is damaged", target=self.target.name, reason=complaint)
        return answers.snapshots(answer.out)

    def read_file(self, snapshot: str, name: str, out: Path) -> None:
        """Write a stored file to `out`; every byte is checked on its way."""
        with out.open("wb") as target:
            self._work(["dump", snapshot, name], output=target)

    def read_folder(
        self, snapshot: str, folder: Path, out: Path, include: str | None = None
    ) -> None:
        """Write a stored folder's content to `out`; every byte is checked on its way."""
        wanted = ["--include", include] if include else []
        where = ["--target", os.fspath(out)]
        self._work(["restore", f"{snapshot}:{folder}", *where, *wanted])

    def forget(self, snapshots: Sequence[str]) -> None:
        """Let snapshots go; their data goes with `prune`. Both are for who has the repository alone."""
        if snapshots:
            self._require_deletable()
            for batch in _batches(snapshots):
                self._work(["forget", *batch])
            self._require_gone(snapshots)

    def prune(self) -> None:
        """Remove what belongs to no snapshot any more."""
        self._require_deletable()
        self._work(["prune"])

    def check(self, part: str | None = None) -> None:
        """Check the structure, and read all data of a part such as 2/7, or 1/1 for all of it.

        It can't miss what nobody has told it of: that a whole snapshot is gone is for the catalogue to notice.
        Only for who shares the repository: restic's own lock would keep the log from it for as long as this takes.
        """
        read = [f"--read-data-subset={part}"] if part else []
        self._work(["check", "--no-lock", *read])

    def size(self) -> int:
        """Return how many bytes the repository takes; elsewhere, how many its snapshots need."""
        if not self.target.off_site and Path(self.target.location, "config").exists():
            return sum(_sizes(Path(self.target.location)))
        answer = self.program.run(["stats", "--no-lock", "--json", "--mode=raw-data"])
        return int(answers.read(answer.out)["total_size"])

    def unlock(self) -> None:
        """Remove locks that are left: only for who has it alone on this machine.

        Elsewhere other machines may be at work, so there restic judges which locks have no owner any more.
        """
        self.program.run(["unlock", *([] if self.target.off_site else ["--remove-all"])])

    def _work(
        self,
        arguments: Sequence[str],
        source: Program | None = None,
        output: IO[bytes] | None = None,
    ) -> Answer:
        """Have something done that takes as long as it takes, but never stands still."""
        longest, still = self._limits
        return self.program.run(arguments, longest, source, output, still)

    def _save(
        self, what: Sequence[str], tags: Sequence[str], environment: Mapping[str, str]
    ) -> Saved:
        began = time.monotonic()
        named = ["--json", "--host", HOST, *(f"--tag={tag}" for tag in tags)]
        command = ["backup", *named, *what]
        summary, ended = self.program.save(command, environment, self._limits)
        if ended.code or ended.ended_for or not summary:
            self._forget_incomplete(summary)
            self.program.fail("backup", ended)
        return answers.saved(summary, time.monotonic() - began)

    def _forget_incomplete(self, summary: Mapping[str, Any]) -> None:
        """Let go what a failed call has stored all the same; where that fails, no manifest knows of it."""
        if not summary:
            return
        try:
            self.forget([summary["snapshot_id"]])
        except TargetError as error:
            log.warning("an incomplete snapshot is left", reason=str(error))

    def _require_gone(self, snapshots: Sequence[str]) -> None:
        """Raise a TargetError where some are still there: restic ends well where a server deletes nothing."""
        left = [s.id for s in self.snapshots() if s.id.startswith(tuple(snapshots))]
        if left:
            message = (
                f"target {self.target.name}: {len(left)} snapshots were let go, and are still there;"
                " is the server append-only? then set BACKUP_REST_APPEND_ONLY"
            )
            raise TargetError(message)

    def _require_deletable(self) -> None:
        if self.target.append_only:
            message = (
                f"target {self.target.name}: it is append-only, so nothing can be deleted from here;"
                " forget and prune there, with an account that may"
            )
            raise TargetError(message)


def _source(source: Repository) -> list[str]:
    return ["--from-repo", source.target.location]


def _batches(snapshots: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(snapshots), AT_ONCE):
        yield snapshots[begin : begin + AT_ONCE]


def _sizes(folder: Path) -> list[int]:
    """Return the size of each file; one that is gone by now counts for nothing."""
    sizes = []
    for path in folder.rglob("*"):
        try:
            sizes.append(path.lstat().st_size if path.is_file() else 0)
        except FileNotFoundError:
            continue
    return sizes
