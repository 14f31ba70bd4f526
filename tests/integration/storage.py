"""Where backups go, in containers: SFTP, restic's REST server, also append-only, and S3, all beside the database.

Their certificates are signed by the authority that init has made, so a worker needs no other to trust them.
"""

import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import docker
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.authority import Authority
from tests.images import image
from tests.integration.postgres import Database
from tests.waiting import eventually

Kind = Literal["sftp", "rest", "rest-append-only", "s3"]
VAULT = 10012  # the image's user
USER, PASSWORD = "vault", "correct-horse"
ENTRIES = {
    "sftp": "sftp://vault@{host}:2222/data",
    "rest": "rest:https://{host}:8000/",
    "rest-append-only": "rest:https://{host}:8000/",
    "s3": "s3:https://{host}:5000/keelson",
}
LISTENING = {"sftp": 2222, "rest": 8000, "rest-append-only": 8000, "s3": 5000}
ACCOUNTS = {
    "rest": {"BACKUP_REST_USERNAME": USER, "BACKUP_REST_PASSWORD": PASSWORD},
    "s3": {
        "BACKUP_S3_ACCESS_KEY_ID": USER,
        "BACKUP_S3_SECRET_ACCESS_KEY": PASSWORD,
        "BACKUP_S3_REGION": "us-east-1",
    },
}
STRICT = {"INITIAL_NO_AUTH_ACTION_COUNT": "0"}  # moto's


@dataclass(frozen=True)
class Storage:
    """One running server: what to write into BACKUP_TARGETS, and all else that a worker is told to use it."""

    kind: Kind
    entry: str
    environment: Mapping[str, str]
    container: Any

    def stop(self) -> None:
        """Be away, as a machine that is switched off: its name is unknown."""
        self.container.stop(timeout=1)

    def start(self) -> None:
        """Be there again, with what was stored (S3 forgets)."""
        self.container.start()
        _wait(self.container, self.kind)

    def pause(self) -> None:
        """Answer nothing any more, and close nothing either."""
        self.container.pause()

    def unpause(self) -> None:
        """Go on."""
        self.container.unpause()

    def run(self, *command: str) -> str:
        """Run a command in the container; return what it wrote."""
        result = self.container.exec_run(list(command))
        assert result.exit_code == 0, result.output
        return str(result.output.decode())


def targets(*servers: Storage, local: bool = True) -> dict[str, str]:
    """Return what a worker is told to use these side by side, after the local target."""
    entries = ["local"] * local + [server.entry for server in servers]
    told = {"BACKUP_TARGETS": ", ".join(entries)}
    hosts = "".join(s.environment.get("BACKUP_SFTP_KNOWN_HOSTS", "") for s in servers)
    for server in servers:
        told |= server.environment
    return told | ({"BACKUP_SFTP_KNOWN_HOSTS": hosts} if hosts else {})


@contextmanager
def storage(  # noqa: PLR0913 what differs from a good server, each by its name
    database: Database,
    kind: Kind,
    host: str = "",
    *,
    certificate: tuple[bytes, bytes] | None = None,
    tmpfs: str = "",
    refuses: bool = False,
) -> Iterator[Storage]:
    """Run a server by that name in the database's network; the certificate is good unless given.

    `tmpfs` is the size of its disk, such as 30m; without it, it has all of the host's. An S3 server that
    `refuses` knows nobody; without that it lets anybody in.
    """
    host = host or f"test-{kind}"
    if kind == "sftp":
        keys, environment = _sftp_keys(host)
    else:
        keys, environment = _tls_keys(certificate or authority_of(database).signed(host), kind)
    engine = docker.from_env()
    container = engine.containers.create(
        image("test-storage"),
        [kind],
        environment={"REST_USER": USER, "REST_PASSWORD": PASSWORD} | (STRICT if refuses else {}),
        tmpfs={"/vault/data": f"uid={VAULT},gid={VAULT},size={tmpfs}"} if tmpfs else {},
        init=True,
    )
    try:
        container.put_archive("/keys", _archive(keys))
        engine.networks.get(database.network).connect(container, aliases=[host])
        container.start()
        _wait(container, kind)
        yield Storage(kind, ENTRIES[kind].format(host=host), environment, container)
    finally:
        container.remove(force=True, v=True)


def authority_of(database: Database) -> Authority:
    """Return the authority that init has made, key and all."""
    volume = {database.volume("authority"): {"bind": "/authority", "mode": "ro"}}
    container = docker.from_env().containers.create(image("init"), volumes=volume)
    try:
        return Authority(
            *(_file_of(container, f"/authority/{name}") for name in ("ca.key", "ca.crt"))
        )
    finally:
        container.remove()


def ssh_key() -> tuple[bytes, str]:
    """Return a new private key and its public half, as OpenSSH writes them."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private, public.decode()


def _sftp_keys(host: str) -> tuple[dict[str, bytes], dict[str, str]]:
    host_key, host_public = ssh_key()
    key, public = ssh_key()
    files = {"host_key": host_key, "authorized_keys": f"restrict {public}\n".encode()}
    told = {
        "BACKUP_SFTP_KEY": key.decode(),
        "BACKUP_SFTP_KNOWN_HOSTS": f"[{host}]:2222 {host_public}\n",
    }
    return files, told


def _tls_keys(
    certificate: tuple[bytes, bytes], kind: str
) -> tuple[dict[str, bytes], dict[str, str]]:
    told = {"BACKUP_CA_FILE": "/run/keelson/ca/ca.crt"} | ACCOUNTS[kind.partition("-")[0]]
    if kind == "rest-append-only":
        told["BACKUP_REST_APPEND_ONLY"] = "true"
    return {"server.crt": certificate[0], "server.key": certificate[1]}, told


def _archive(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.uid, member.gid = len(content), 0o600, VAULT, VAULT
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _file_of(container: Any, path: str) -> bytes:
    chunks, _ = container.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        (member,) = archive.getmembers()
        content = archive.extractfile(member)
        assert content is not None
        return content.read()


def _wait(container: Any, kind: Kind) -> None:
    """Wait until something listens: in the kernel's list of sockets, as the image has no client for all."""
    listens = f"grep -q ':{LISTENING[kind]:04X} .* 0A ' /proc/net/tcp /proc/net/tcp6"

    def up() -> bool:
        container.reload()
        assert container.status == "running", container.logs().decode()
        return bool(container.exec_run(["sh", "-c", listens]).exit_code == 0)

    eventually(up, 60, f"{kind} listens")
