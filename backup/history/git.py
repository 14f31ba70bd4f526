"""git on a bare repository of our own: no hooks, no questions, no configuration but ours, and limits in time."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from backup import processes
from backup.errors import BackupError

LOCAL_SECONDS = 60
# Nobody's configuration is read, the machine's neither, and nobody is asked.
QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "ssh:https",
    "GIT_AUTHOR_NAME": "Keelson backup",
    "GIT_AUTHOR_EMAIL": "backup@keelson.invalid",
    "GIT_COMMITTER_NAME": "Keelson backup",
    "GIT_COMMITTER_EMAIL": "backup@keelson.invalid",
}
ADVICE = {
    b"fatal: Could not read from remote repository.",
    b"Please make sure you have the correct access rights",
    b"and the repository exists.",
}
OPTIONS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "gc.autoDetach": "false",  # nothing of ours goes on in the background
    "http.followRedirects": "false",  # the token is for one host
    "transfer.fsckObjects": "true",
    "init.defaultBranch": "main",
}


class GitError(BackupError):
    """git did not do it; the message is what it said."""

    def __init__(self, verb: str, code: int, out: bytes, said: bytes) -> None:
        super().__init__(f"git {verb} ended with {code}: {processes.last_words(_plain(said))}")
        self.code = code
        self.out = out


def _plain(said: bytes) -> bytes:
    """Return what git said without its advice after each failure of ssh, which hides why it failed."""
    lines = [line for line in said.splitlines() if line.strip() and line not in ADVICE]
    return b"\n".join(lines)


class Git:
    """One bare repository. Each call is one run of git, to its end or its limit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self,
        *arguments: str,
        given: bytes = b"",
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        seconds: float = LOCAL_SECONDS,
    ) -> bytes:
        """Return what git writes, given `given` on its standard input; raise a GitError where it fails."""
        settings = {**OPTIONS, "safe.directory": os.fspath(self.folder)}
        ours = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = ["git", *ours, *options, "--git-dir", os.fspath(self.folder), *arguments]
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as said,
        ):
            stdin.write(given)
            stdin.seek(0)
            with processes.started(
                command,
                stdin=stdin,
                stdout=out,
                stderr=said,
                environment={**QUIET, **(environment or {})},
            ) as process:
                try:
                    code = process.wait(seconds)
                except subprocess.TimeoutExpired:
                    message = f"no end within {seconds:.0f} s, so it was ended".encode()
                    raise GitError(arguments[0], -1, b"", message) from None
            out.seek(0)
            said.seek(0)
            if code:
                raise GitError(arguments[0], code, out.read(), said.read())
            return out.read()

    def line(
        self, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> str:
        """Return the one line that git writes."""
        return self.run(*arguments, given=given, environment=environment).decode().strip()
