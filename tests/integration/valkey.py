"""The project's own Valkey in a container, as the stack runs it, reached from the host over TLS."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any
from urllib.parse import quote, urlsplit

import docker
from redis import Redis, RedisError, ResponseError
from redis.backoff import NoBackoff
from redis.retry import Retry
from testcontainers.core.container import DockerContainer

from tests.images import image
from tests.integration.postgres import Database
from tests.ports import free_port
from tests.waiting import eventually

DATA = "valkey-data"


class Valkey:
    """One Valkey with the secrets that init made beside the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._docker = docker.from_env()
        self.port = free_port()
        self.server: Any = None
        self.url = self._url()
        self._filling = self.client

    def _url(self) -> str:
        """Return the address that init wrote for web, as the host reaches it."""
        account = urlsplit(self._database.valkey_url).netloc.partition("@")[0]
        ca = quote(str(self._database.ca_file))
        return f"valkeys://{account}@localhost:{self.port}/0?ssl_ca_certs={ca}"

    @property
    def client(self) -> Redis:
        """Return a client that signs in as web."""
        url = self.url.replace("valkeys://", "rediss://")
        return Redis.from_url(url, socket_timeout=10, retry=Retry(NoBackoff(), 0))

    @contextmanager
    def running(self) -> Iterator["Valkey"]:
        """Start it, and remove it afterwards, with what it kept."""
        container = (
            DockerContainer(image("valkey"))
            .with_bind_ports(6379, self.port)
            .with_volume_mapping(self._database.volume("valkey"), "/run/keelson/valkey", "ro")
            .with_volume_mapping(self._database.volume(DATA), "/var/lib/valkey", "rw")
            .with_tmpfs_mount("/run/valkey", "uid=10007,gid=10007,mode=0700")
            .with_tmpfs_mount("/tmp")  # noqa: S108 the container's
            .with_kwargs(read_only=True, init=True, cap_drop=["ALL"])
        )
        container.start()
        try:
            self.server = container.get_wrapped_container()
            self._wait()
            yield self
        finally:
            container.stop()
            self._docker.volumes.get(self._database.volume(DATA)).remove(force=True)

    def _wait(self) -> None:
        try:
            eventually(self.answers, seconds=60)
        except AssertionError as error:
            message = f"{self.client.connection_pool}: {self.server.logs().decode()[-3000:]}"
            raise AssertionError(message) from error

    def answers(self) -> bool:
        """Return whether it takes commands."""
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def stop(self) -> None:
        """Stop it, as a restart of its container would."""
        self.server.stop(timeout=30)

    def start(self) -> None:
        """Start it again and wait until it answers."""
        self.server.start()
        eventually(self.answers, seconds=60)

    def pause(self) -> None:
        """Let it keep its connections and say nothing."""
        self.server.pause()

    def unpause(self) -> None:
        """Let it answer again."""
        self.server.unpause()
        eventually(self.answers, seconds=60)

    def fill(self) -> None:
        """Write until it takes no more.

        A connection's buffers are memory in use, and room again when it is closed: so the last stays.
        """
        numbers = count()
        for size in (8_000_000, 100_000, 100):
            self._filling.close()
            self._filling = self.client
            with suppress(ResponseError):
                while self._filling.set(f"cache:{next(numbers)}", b"x" * size, ex=600):
                    pass

    def empty(self) -> None:
        """Delete all keys; web itself may not do so in one step."""
        client = self.client
        for key in client.scan_iter():
            client.delete(key)
        eventually(self._takes_writes, what="the memory of what was deleted is free")

    def _takes_writes(self) -> bool:
        try:
            return bool(self.client.set("probe", "1")) and bool(self.client.delete("probe"))
        except ResponseError:
            return False
