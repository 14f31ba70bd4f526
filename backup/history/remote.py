"""The remote that the history is pushed to: reached by a pinned key or a token, and never overwritten."""

import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backup.errors import BackupError
from backup.history.commits import BRANCH
from backup.history.git import Git, GitError
from backup.settings import Settings

PUSH_SECONDS = 120
CONNECT_SECONDS = 10
TOKEN = "KEELSON_GIT_TOKEN"  # noqa: S105 the name of a variable
PUBLIC_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# Asked by git for the account; any name goes with a token.
HELPER = f'!f() {{ echo username=keelson; echo "password=${TOKEN}"; }}; f'


class RemoteError(BackupError):
    """The history was not pushed; it is tried again."""


@dataclass(frozen=True, slots=True)
class Remote:
    """An address, and what git is told to reach it; good as long as its temporary files are there."""

    address: str = field(repr=False)
    environment: dict[str, str] = field(repr=False)
    options: tuple[str, ...] = ()

    def push(self, git: Git) -> None:
        """Bring the remote's branch up to ours; raise a RemoteError that says what to do."""
        try:
            self._run(
                git, "push", "--porcelain", "--end-of-options", self.address, f"{BRANCH}:{BRANCH}"
            )
        except GitError as error:
            raise RemoteError(explained(error)) from error

    def adopt(self, git: Git) -> None:
        """Begin with what the remote has, where we have nothing: after a machine was lost."""
        listed = self._run(git, "ls-remote", "--end-of-options", self.address, BRANCH)
        if listed.strip():
            self._run(
                git, "fetch", "--quiet", "--end-of-options", self.address, f"{BRANCH}:{BRANCH}"
            )

    def _run(self, git: Git, *arguments: str) -> bytes:
        return git.run(
            *arguments, environment=self.environment, options=self.options, seconds=PUSH_SECONDS
        )


def explained(error: GitError) -> str:
    """Return why a push failed, and what to do."""
    said = str(error)
    if "[rejected]" in error.out.decode(errors="replace"):
        return (
            "BACKUP_GIT_REMOTE has commits that are not ours, and nothing is overwritten: give each stack"
            " a repository of its own; set an empty one, or empty this one if nobody needs it"
        )
    if "Host key verification failed" in said or "REMOTE HOST IDENTIFICATION" in said:
        return (
            "BACKUP_GIT_REMOTE shows another host key than BACKUP_GIT_KNOWN_HOSTS has: if its keys were"
            " changed, pin the new one; otherwise it is not your server"
        )
    return f"{said}; check BACKUP_GIT_REMOTE and its key or token, and that it may write there"


@contextmanager
def opened(settings: Settings) -> Iterator[Remote | None]:
    """Yield the remote, or None where none is set; its keys are files as long as it takes."""
    address = settings.backup_git_remote
    if not address:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="git-") as folder:
        make = _by_https if address.startswith("https://") else _by_ssh
        yield make(address, settings, Path(folder))


def _by_ssh(address: str, settings: Settings, folder: Path) -> Remote:
    key, known = folder / "key", folder / "known_hosts"
    secret = settings.backup_git_key.get_secret_value() if settings.backup_git_key else ""
    _write(key, secret.strip() + "\n")  # OpenSSH wants the last line complete
    _write(known, (settings.backup_git_known_hosts or "").strip() + "\n")
    options = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known),
        "GlobalKnownHostsFile": "/dev/null",
        "ConnectTimeout": str(CONNECT_SECONDS),
        "ServerAliveInterval": "10",
        "ServerAliveCountMax": "3",
    }
    given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    command = shlex.join(["ssh", "-F", "/dev/null", "-i", str(key), *given])
    return Remote(address, {"GIT_SSH_COMMAND": command, "GIT_SSH_VARIANT": "ssh"})


def _by_https(address: str, settings: Settings, folder: Path) -> Remote:
    token = settings.backup_git_token.get_secret_value() if settings.backup_git_token else ""
    environment = {TOKEN: token}
    if settings.backup_ca_file:  # beside the public ones, as the two may be of different servers
        public = PUBLIC_AUTHORITIES.read_text() if PUBLIC_AUTHORITIES.exists() else ""
        authorities = folder / "authorities.crt"
        _write(authorities, public + settings.backup_ca_file.read_text(encoding="utf-8"))
        environment["GIT_SSL_CAINFO"] = str(authorities)
    slow = ("-c", "http.lowSpeedLimit=1", "-c", f"http.lowSpeedTime={CONNECT_SECONDS * 3}")
    return Remote(
        address,
        environment,
        ("-c", "credential.helper=", "-c", f"credential.helper={HELPER}", *slow),
    )


def _write(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8")
