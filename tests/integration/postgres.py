"""The project's own PostgreSQL in containers: init, db and migrate, as the stack runs them."""

import io
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import docker
import psycopg2
from sqlalchemy import Engine, create_engine, make_url
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from tests.images import image
from tests.ports import free_port
from tests.waiting import eventually

PARTS = ("owner", "web", "mailer", "backup")
FOLDERS = ("authority", "ca", "db", "edge", "valkey", *PARTS)


class Database:
    """One migrated database, its four roles, and the network and volumes that other containers share."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._environment = environment
        self._name = f"keelson-test-{uuid.uuid4().hex[:8]}"
        self._folder = folder
        self._docker = docker.from_env()
        self.port = free_port()
        self._on = Network()
        self.network = ""
        self.server: Any = None
        self.engine = cache(self._engine)

    def volume(self, folder: str) -> str:
        """Return the volume behind /run/keelson/`folder`, or of the data behind `data`."""
        return f"{self._name}-{folder}"

    @property
    def ca_volume(self) -> str:
        """Return the volume with the CA's public half."""
        return self.volume("ca")

    @property
    def ca_file(self) -> Path:
        """Return the CA's public half as a file of the host."""
        return self._folder / "ca.crt"

    @property
    def valkey_url(self) -> str:
        """Return the address of Valkey that init wrote for web."""
        return (self._folder / "valkey_url").read_text(encoding="utf-8")

    def secrets(self, part: str) -> str:
        """Return the volume to mount at /run/keelson/`part`."""
        return self.volume(part)

    def password(self, part: str) -> str:
        """Return the password of a part's role."""
        return str(make_url((self._folder / part).read_text(encoding="utf-8")).password)

    def url(self, part: str) -> str:
        """Return the URL by which `part` reaches the database from the host, verified as in the stack."""
        url = make_url((self._folder / part).read_text(encoding="utf-8"))
        query = {"sslmode": "verify-full", "sslrootcert": str(self.ca_file)}
        url = url.set(host="localhost", port=self.port, query=query)
        return url.render_as_string(hide_password=False)

    def _engine(self, part: str) -> Engine:
        return create_engine(self.url(part), pool_pre_ping=True)

    def lose(self) -> None:
        """Kill the server where it stands, and remove its data: the disk is gone."""
        self.server.kill()
        self.server.remove(force=True)
        self._docker.volumes.get(self.volume("data")).remove(force=True)

    @contextmanager
    def made_anew(self) -> Iterator[None]:
        """Have an empty cluster in the place of the one that was lost, migrated, with the same secrets."""
        with self._serve():
            self.migrate("development")
            yield

    def stop(self) -> None:
        """Stop the server, as a restart of its container would."""
        self.server.stop(timeout=30)

    def start(self) -> None:
        """Start it again and wait until it answers."""
        self.server.start()
        eventually(self._connects, seconds=60)

    def restart(self) -> None:
        """Stop and start the server."""
        self.stop()
        self.start()

    def alive(self) -> bool:
        """Say whether there is a server, running or not."""
        return bool(self._docker.containers.list(all=True, filters={"id": self.server.id}))

    def _connects(self) -> bool:
        url = make_url(self.url("owner")).set(drivername="postgresql")
        try:
            psycopg2.connect(url.render_as_string(hide_password=False), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def mounts(self, *folders: str) -> dict[str, dict[str, str]]:
        """Return what docker's `volumes` takes to mount these folders where the stack has them."""
        return {self.volume(f): {"bind": f"/run/keelson/{f}", "mode": "rw"} for f in folders}

    @contextmanager
    def running(self) -> Iterator["Database"]:
        """Start everything, and remove it afterwards, volumes and all."""
        with ExitStack() as stack:
            stack.enter_context(self._on)
            self.network = self._on.name
            stack.callback(self._remove_volumes)
            self._make_secrets()
            stack.enter_context(self._serve())
            self.migrate("development")
            yield self
            for part in PARTS:
                self.engine(part).dispose()

    def _make_secrets(self) -> None:
        init = self._docker.containers.create(image("init"), volumes=self.mounts(*FOLDERS))
        try:
            init.start()
            assert init.wait()["StatusCode"] == 0, init.logs().decode()
            for part in PARTS:
                self._copy_out(init, f"/run/keelson/{part}/database_url", part)
            self._copy_out(init, "/run/keelson/ca/ca.crt", "ca.crt")
            self._copy_out(init, "/run/keelson/web/valkey_url", "valkey_url")
        finally:
            init.remove(force=True)

    def _copy_out(self, container: Any, path: str, name: str) -> None:
        chunks, _ = container.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            member = archive.extractfile(Path(path).name)
            assert member is not None
            (self._folder / name).write_bytes(member.read())

    @contextmanager
    def _serve(self) -> Iterator[None]:
        container = (
            DockerContainer(image("db"))
            .with_network(self._on)
            .with_network_aliases("db")
            .with_bind_ports(5432, self.port)
            .with_volume_mapping(self.volume("db"), "/run/keelson/db", "ro")
            .with_volume_mapping(self.volume("data"), "/var/lib/postgresql/data", "rw")
            .with_tmpfs_mount("/run/postgresql", "uid=10006,gid=10006,mode=0755")
            .with_kwargs(read_only=True, init=True)
        )
        container.env.update(self._environment)
        container.start()
        try:
            self.server = container.get_wrapped_container()
            eventually(self._connects, seconds=60)
            yield
        finally:
            if self.alive():
                container.stop()

    def migrate(self, app_env: str) -> None:
        """Run the migration, as the stack does on each start."""
        self._docker.containers.run(
            image("migrate"),
            network=self.network,
            environment={
                "APP_ENV": app_env,
                "DATABASE_URL_FILE": "/run/keelson/owner/database_url",
            },
            volumes=self.mounts("owner", "ca"),
            remove=True,
        )

    def _remove_volumes(self) -> None:
        for folder in (*FOLDERS, "data"):
            for volume in self._docker.volumes.list(filters={"name": self.volume(folder)}):
                volume.remove(force=True)
