"""A git server over ssh that others wrote, in a container: its address, its keys, and what was pushed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker

from tests.images import image
from tests.ports import free_port
from tests.waiting import eventually

REPOSITORY = "/home/git/history.git"


class GitServer:
    """One running server with one repository, and the one key that opens it."""

    def __init__(self, container: Any, port: int, key: Path) -> None:
        self.container = container
        self.port = port
        self.key = key.read_text(encoding="utf-8")
        self.address = f"ssh://git@127.0.0.1:{port}{REPOSITORY}"

    def known_hosts(self) -> str:
        """Return the host key that it really has, as ssh-keyscan prints it."""
        return f"[127.0.0.1]:{self.port} {self._run('cat', '/etc/ssh/ssh_host_ed25519_key.pub')}"

    def log(self) -> list[str]:
        """Return the subjects of what was pushed, oldest first."""
        command = ["git", "-C", REPOSITORY, "log", "--reverse", "--format=%s", "main"]
        result = self.container.exec_run(command, user="git")
        told: str = result.output.decode()
        return told.splitlines() if result.exit_code == 0 else []

    def commit_elsewhere(self) -> None:
        """Put a commit of somebody else's on the branch."""
        write = "git commit-tree -m theirs $(git mktree </dev/null)"
        who = "-c user.name=eve -c user.email=eve@example.org"
        command = f"cd {REPOSITORY} && git update-ref refs/heads/main $({write.replace('git', f'git {who}', 1)})"
        result = self.container.exec_run(["sh", "-c", command], user="git")
        assert result.exit_code == 0, result.output

    def answers(self) -> bool:
        """Say whether it greets."""
        scan = ["ssh-keyscan", "-T", "2", "-p", str(self.port), "127.0.0.1"]
        return b"ed25519" in subprocess.run(scan, capture_output=True, check=False).stdout

    def _run(self, *command: str) -> str:
        result = self.container.exec_run(list(command))
        assert result.exit_code == 0, result.output
        return str(result.output.decode()).strip()


@contextmanager
def running_git_server(folder: Path) -> Iterator[GitServer]:
    """Run one; the key that opens it is made in `folder`."""
    key = new_key(folder / "key")
    port = free_port()
    container = docker.from_env().containers.run(
        image("test-git"),
        detach=True,
        ports={"22/tcp": ("127.0.0.1", port)},
        environment={"AUTHORIZED_KEY": key.with_suffix(".pub").read_text(encoding="utf-8").strip()},
    )
    try:
        server = GitServer(container, port, key)
        eventually(server.answers, what="the git server answers")
        yield server
    finally:
        container.remove(force=True)


def new_key(path: Path) -> Path:
    """Make a key for ssh; its public half is beside it."""
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)]
    subprocess.run(make, check=True)
    return path
