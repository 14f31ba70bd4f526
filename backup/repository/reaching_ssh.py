"""Reaching a server over SSH: a login as restic's, of which OpenSSH tells why it failed in words alone."""

import socket
import tempfile

from backup import processes
from backup.repository.calls import started
from backup.repository.errors import TargetError
from backup.repository.reaching_tls import unreachable
from backup.repository.targets import Target

SECONDS = 10.0
LOGIN_SECONDS = 30.0
KILO = 1024
CURES = {
    b"REMOTE HOST IDENTIFICATION HAS CHANGED": (
        "it shows another host key than BACKUP_SFTP_KNOWN_HOSTS has; do not go on before you know why"
    ),
    b"Host key verification failed": (
        "its host key is not in BACKUP_SFTP_KNOWN_HOSTS; compare it with the server's own, and put it there"
    ),
    b"Permission denied": (
        "it refuses our login; is the public half of BACKUP_SFTP_KEY in that user's authorized_keys?"
    ),
    b"subsystem request failed": "it lets us in, but offers no SFTP; turn that on there",
}
BAD_KEY = b"Load key"


def log_in(target: Target) -> int | None:
    """Log in with SFTP; return how many bytes are free, or None if the server does not tell."""
    where = f"target {target.name}: {target.url.hostname}:{target.port}"
    _connect(target, where)
    with tempfile.NamedTemporaryFile() as batch, tempfile.TemporaryFile() as said:
        folder = target.url.path.removeprefix("/")  # of the login's; // begins at the root
        batch.write(f'-df\n-df "{folder}"\n'.encode())  # - goes on where it can't tell
        batch.flush()
        to = f"{target.url.username}@{target.url.hostname}"
        command = ["sftp", *target.ssh, "-b", batch.name, "-P", str(target.port), to]
        with started(command, {}, said, LOGIN_SECONDS, LOGIN_SECONDS) as call:
            call.wait()
            ended = call.ended()
        if ended.code or ended.ended_for:
            message = f"{where}: {_reason(ended.said, ended.ended_for)}"
            raise TargetError(message)
        said.seek(0)
        return _free(said.read())


def _connect(target: Target, where: str) -> None:
    """Raise a TargetError where nobody listens; Python tells why in a form that is no prose."""
    try:
        socket.create_connection((target.url.hostname, target.port), timeout=SECONDS).close()
    except OSError as error:
        message = f"{where}: {unreachable(error)}"
        raise TargetError(message) from error


def _reason(said: bytes, ended_for: str) -> str:
    if BAD_KEY in said:
        return "BACKUP_SFTP_KEY is no private key that OpenSSH can use without a passphrase"
    for sign, reason in CURES.items():
        if sign in said:
            return reason
    return ended_for or processes.last_words(said) or "sftp failed without a word"


def _free(said: bytes) -> int | None:
    """Return what is free by the last table of `df`: its third column, in KiB."""
    columns = (said.decode(errors="replace").splitlines() or [""])[-1].split()
    try:
        return int(columns[2]) * KILO
    except (IndexError, ValueError):
        return None
