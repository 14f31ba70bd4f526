"""restic, told of one repository: where it is, what opens it, and what to make of how a call ends."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import structlog

from backup.repository import answers, calls, preflight
from backup.repository.calls import Call, Ended
from backup.repository.errors import RepositoryDamagedError, TargetError
from backup.repository.targets import Target

log = structlog.get_logger(__name__)

SHORT_SECONDS = 120.0  # questions that take a second
TURN = "--retry-lock=1m"  # another machine may be at work in it


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call that ended well wrote: to standard output, and to standard error."""

    out: bytes
    said: bytes


class Program:
    """restic for one repository."""

    def __init__(self, target: Target, key: str, cache: Path | None) -> None:
        self.target = target
        self._key = key
        self._cache = cache

    def run(
        self,
        arguments: Sequence[str],
        seconds: float = SHORT_SECONDS,
        source: "Program | None" = None,
        output: IO[bytes] | None = None,
        still: float = SHORT_SECONDS,
    ) -> Answer:
        """Call restic to its end; return what it answered, or raise the TargetError that tells why not.

        One that neither reads nor writes anything for as long as `still` is ended.
        """
        limits = (seconds, still)
        with tempfile.TemporaryFile() as captured:
            ended = self._ended(arguments, limits, source, output or captured)
            if ended.code == answers.LOCKED and self._dead_locks_are_gone():
                ended = self._ended([TURN, *arguments], limits, source, output or captured)
            if answers.is_doubtful(arguments[0], ended):
                _empty(output or captured)
                ended = self._ended(arguments, limits, source, output or captured)
            if ended.code or ended.ended_for:
                self.fail(arguments[0], ended, source)
            captured.seek(0)
            return Answer(captured.read(), ended.said)

    def save(
        self, arguments: Sequence[str], environment: Mapping[str, str], limits: tuple[float, float]
    ) -> tuple[dict[str, Any], Ended]:
        """Call `backup`; return its summary, which is empty where nothing was stored, and how it ended."""
        summary, ended = self._saved(arguments, environment, limits)
        if ended.code == answers.LOCKED and self._dead_locks_are_gone():
            summary, ended = self._saved([TURN, *arguments], environment, limits)
        return summary, ended

    def fail(self, verb: str, ended: Ended, source: "Program | None" = None) -> NoReturn:
        """Raise what a call's end means."""
        error = answers.error(self.target, verb, ended, source.target if source else None)
        if isinstance(error, RepositoryDamagedError):
            for one in (self, source):
                if one:
                    preflight.reach(one.target)  # a server that is away has damaged nothing
        raise error

    def _saved(
        self, arguments: Sequence[str], environment: Mapping[str, str], limits: tuple[float, float]
    ) -> tuple[dict[str, Any], Ended]:
        summary: dict[str, Any] = {}
        most = (0, 0)
        with self._started(arguments, environment, subprocess.PIPE, *limits) as call:
            for line in call.lines():
                told = answers.read(line)
                if told.get("message_type") == "summary" and told.get("snapshot_id"):
                    summary = told
                done = (told.get("bytes_done", 0), told.get("files_done", 0))
                if done > most:
                    most = done
                    call.moved()
            return summary, call.ended()

    def _ended(
        self,
        arguments: Sequence[str],
        limits: tuple[float, float],
        source: "Program | None",
        output: IO[bytes],
    ) -> Ended:
        environment: dict[str, str] = {}
        options: tuple[str, ...] = ()
        if source:
            environment = {"RESTIC_FROM_PASSWORD": source._key, **source.target.environment}  # noqa: SLF001 of the same class
            options = source.target.options
        with self._started([*options, *arguments], environment, output, *limits) as call:
            call.wait()
            return call.ended()

    def _dead_locks_are_gone(self) -> bool:
        """Remove the locks whose owners are dead, as restic itself judges; say whether that worked."""
        log.warning("locks of dead programs are removed", target=self.target.name)
        with tempfile.TemporaryFile() as captured:
            return self._ended(["unlock"], (SHORT_SECONDS, SHORT_SECONDS), None, captured).code == 0

    @contextmanager
    def _started(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        output: IO[bytes] | int,
        longest: float,
        still: float,
    ) -> Iterator[Call]:
        options = dict.fromkeys([*self._cache_options(), *self.target.options])
        command = ["restic", "--repo", self.target.location, *options, *arguments]
        given = {
            "RESTIC_PASSWORD": self._key,
            "RESTIC_PROGRESS_FPS": "1",
            **self._room(),
            **self.target.environment,
            **environment,
        }
        with ExitStack() as stack:
            try:
                started = calls.started(command, given, output, longest, still)
                call = stack.enter_context(started)
            except OSError as error:
                message = (
                    f"target {self.target.name}: restic can't be started: {error.strerror or error}"
                )
                raise TargetError(message) from error
            yield call

    def _cache_options(self) -> list[str]:
        if not self._cache or not self.target.off_site:
            return ["--no-cache"]  # of what is beside us a cache is of no use
        return [f"--cache-dir={self._cache}"]

    def _room(self) -> dict[str, str]:
        """Return where packs wait to be sent: five of them may be more than the container's memory disk."""
        if not self._cache:
            return {}
        packs = self._cache / "packs"
        packs.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {"TMPDIR": os.fspath(packs)}


def _empty(out: IO[bytes]) -> None:
    out.seek(0)
    out.truncate()
