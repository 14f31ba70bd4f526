"""The backup image's own code for repositories, told what to do line by line, and what came of it."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker

from tests.images import image
from tests.integration.backups import HARDENED
from tests.integration.postgres import Database

ROOM = "/backups"  # of memory; each test has a folder of its own in it
SMALL = "/small"  # 40 MB of it
USER = 10003
KEY = "correct-horse-battery-staple"
BEGIN = """
import json, os, sys
from pathlib import Path
from backup.catalogue.folder import Folder
from backup.errors import BackupError
from backup.repository import locks, preflight
from backup.repository.errors import *
from backup.repository.opening import opened, ready
from backup.repository.restic import Repository
from backup.settings import Settings

os.umask(0o077)
settings = Settings.read()
folder = Folder(settings.backup_folder)
answer = None
def random(size): return ["head", "--bytes", str(size), "/dev/urandom"]
def text(words): return ["printf", "%s", words]
try:
    with opened(settings) as repositories:
        first, second = repositories[0], repositories[-1]
"""
END = """
except BackupError as error:
    answer = {"error": type(error).__name__, "message": str(error)}
print(json.dumps(answer))
"""


class FailedError(AssertionError):
    """What was told raised something that no error of ours is."""


class Repositories:
    """A container with the image, and the settings of one test."""

    def __init__(self, container: Any, environment: Mapping[str, str], folder: str = "") -> None:
        self.container = container
        self.folder = folder or f"{ROOM}/{uuid.uuid4().hex[:8]}"
        self.environment = {
            "DATABASE_URL": "postgresql://nobody@nowhere/nothing",
            "BACKUP_REPOSITORY_KEY": KEY,
            "BACKUP_FOLDER": self.folder,
            **environment,
        }
        self.sh(f"mkdir -p {self.folder}")

    def told(self, lines: str) -> Any:
        """Run lines of Python with `repositories`, `first`, `second`, `folder`; return `answer`."""
        result = self.container.exec_run(
            self._command(lines), environment=self.environment, demux=True
        )
        out, err = (part.decode() if part else "" for part in result.output)
        if result.exit_code:
            raise FailedError(err or out)
        return json.loads(out.splitlines()[-1])

    def refused(self, lines: str) -> tuple[str, str]:
        """Run lines that must end in an error of ours; return its type and its message."""
        answer = self.told(lines)
        assert isinstance(answer, dict), answer
        assert "error" in answer, answer
        return answer["error"], answer["message"]

    def verb(self, *arguments: str) -> tuple[int, Any]:
        """Run a verb of the command line with --json; return its exit code, and its document."""
        command = ["python", "-m", "backup", *arguments, "--json"]
        result = self.container.exec_run(command, environment=self.environment, demux=True)
        return result.exit_code, json.loads(result.output[0])

    def begin(self, lines: str) -> None:
        """Run lines, and do not wait for their end."""
        self.container.exec_run(self._command(lines), environment=self.environment, detach=True)

    def sh(self, command: str) -> str:
        """Run a shell command in the container, which must succeed; return what it wrote."""
        result = self.container.exec_run(["bash", "-c", command])
        assert result.exit_code == 0, result.output
        return str(result.output.decode())

    def processes(self, words: str) -> list[int]:
        """Return the ids of the processes whose command line begins with these words."""
        every = (
            "cd /proc; for p in [0-9]*; do echo $p $(tr '\\0' ' ' <$p/cmdline); done 2>/dev/null"
        )
        listed = [line.partition(" ") for line in self.sh(every).splitlines()]
        return [int(pid) for pid, _, command in listed if command.startswith(words)]

    def _command(self, lines: str) -> list[str]:
        told = "\n".join(f"        {line}" for line in lines.strip().splitlines())
        return ["python", "-c", f"{BEGIN}{told}{END}"]


@contextmanager
def worker_of(database: Database) -> Iterator[Any]:
    """Run a container of the backup image beside the database, as small in /tmp as the stack's."""
    container = docker.from_env().containers.run(
        image("backup"),
        ["sleep", "infinity"],
        detach=True,
        network=database.network,
        hostname="backup",
        volumes=database.mounts("ca"),
        **HARDENED
        | {
            "tmpfs": {
                "/tmp": "mode=1777,size=64m",  # noqa: S108 the container's own
                ROOM: f"uid={USER},gid={USER}",
                SMALL: f"uid={USER},gid={USER},size=40m",
            }
        },
    )
    try:
        yield container
    finally:
        container.remove(force=True)
