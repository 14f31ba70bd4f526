"""What the backups' measurements stand on: a database of a size, and the worker beside it, as in the stack."""

import json
import shlex
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker

from tests.images import image
from tests.integration.postgres import Database
from tests.waiting import eventually

DATABASE_MEMORY, WORKER_MEMORY = "768m", "768m"  # as in compose.yaml
FOLDER = "/var/lib/keelson/backups"
SECRETS = "/run/keelson"
PEERS = image("test-backup-peers")
LIBPQ = {
    "PGHOST": "db",
    "PGDATABASE": "keelson",
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": f"{SECRETS}/ca/ca.crt",
}
EVENTS = """
    CREATE TABLE events AS
    SELECT n AS id, now() - n * interval '1 second' AS at, md5(n::text) AS key,
           'visitor ' || n % 9973 || ' asked for /page/' || n % 4999 || ' and got it' AS what
      FROM generate_series(1, {rows}) AS n
"""


class Cluster:
    """A database with what `fill` puts into it, and containers around it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._docker = docker.from_env()
        self.worker: Any = None

    def fill(self, scale: int) -> None:
        """Make pgbench's tables and one of events, about 25 MB for each step of scale."""
        self.shell(f"pgbench --initialize --init-steps=dtGvp --quiet --scale={scale}", "owner")
        self.sql(EVENTS.format(rows=scale * 60_000))
        self.sql("VACUUM ANALYZE events")
        self.checkpoint()

    def sql(self, statement: str) -> str:
        """Run a statement as the owner, and return what it gives."""
        return self.shell(f"psql --no-psqlrc -Atc {shlex.quote(statement)}", "owner").strip()

    def checkpoint(self) -> None:
        """Let the database write what it still holds, so that nobody else pays for it."""
        command = ["psql", "--host=/run/postgresql", "--username=postgres", "-c", "CHECKPOINT"]
        self.database.server.exec_run(command)

    def megabytes(self) -> float:
        """Return the database's size."""
        return float(self.sql("SELECT pg_database_size('keelson')")) / 1e6

    def shell(self, script: str, part: str = "backup") -> str:
        """Run a shell script in the worker's container, with libpq set up for a part's role."""
        password = self.database.password(part)
        environment = {**LIBPQ, "PGUSER": f"keelson_{part}", "PGPASSWORD": password}
        return self._execute(["bash", "-ec", script], environment)

    def seconds(self, script: str, part: str = "backup") -> float:
        """Return how long a shell script takes."""
        start = time.monotonic()
        self.shell(script, part)
        return time.monotonic() - start

    def verb(self, *words: str, part: str = "backup") -> dict[str, Any]:
        """Run a verb of the worker, and return what it answers."""
        environment = {"DATABASE_URL_FILE": f"{SECRETS}/{part}/database_url"}
        answered = self._execute(["python", "-m", "backup", *words, "--json"], environment)
        found: dict[str, Any] = json.loads(answered)
        return found

    def receive(self) -> dict[str, Any]:
        """Start the worker, which receives the log from now on, and return its first base backup."""
        environment = {"DATABASE_URL_FILE": f"{SECRETS}/backup/database_url"}
        command = ["python", "-m", "backup"]
        self.worker.exec_run(command, environment=environment, detach=True)
        eventually(lambda: self.verb("points")["targets"], 600, "the first base backup is stored")
        first: dict[str, Any] = self.verb("points")["bases"][-1]
        return first

    def _execute(self, command: Sequence[str], environment: Mapping[str, str]) -> str:
        given = dict(environment)
        result = self.worker.exec_run(list(command), environment=given, demux=True)
        out, err = (part.decode() if part else "" for part in result.output)
        if result.exit_code:
            message = f"{' '.join(command)[:200]} ended with {result.exit_code}: {err or out}"
            raise RuntimeError(message)
        return out

    @contextmanager
    def running(self) -> Iterator["Cluster"]:
        """Have the worker's container, which only waits to be told verbs."""
        volume = f"keelson-bench-{uuid.uuid4().hex[:8]}"
        self.worker = self._docker.containers.run(
            image("backup"),
            ["sleep", "infinity"],
            detach=True,
            network=self.database.network,
            environment={"BACKUP_REPOSITORY_KEY_FILE": f"{SECRETS}/backup/repository_key"},
            group_add=["10005"],
            volumes=self.database.mounts("ca", "backup", "owner")
            | {volume: {"bind": FOLDER, "mode": "rw"}},
            mem_limit=WORKER_MEMORY,
            read_only=True,
            init=True,
            cap_drop=["ALL"],
            tmpfs={"/tmp": "mode=1777,size=64m"},  # noqa: S108 the container's own
        )
        try:
            yield self
        finally:
            self.worker.remove(force=True)
            self._docker.volumes.get(volume).remove(force=True)

    @contextmanager
    def pgbench(self, seconds: int) -> Iterator[Any]:
        """Let pgbench write meanwhile, from a container of its own; yield the container."""
        environment = {
            **LIBPQ,
            "PGUSER": "keelson_owner",
            "PGPASSWORD": self.database.password("owner"),
        }
        container = self._docker.containers.run(
            PEERS,
            ["pgbench", "--no-vacuum", "--client=8", f"--time={seconds}", "--progress=1"],
            detach=True,
            network=self.database.network,
            environment=environment,
            volumes=self.database.mounts("ca"),
            init=True,
        )
        try:
            yield container
        finally:
            container.remove(force=True)

    def measure_peers(self) -> list[tuple[str, float, int]]:
        """Stop the database, let the others back its files up, and return what that took."""
        self.database.stop()
        container = self._docker.containers.run(
            PEERS,
            detach=True,
            init=True,
            network_mode="none",
            environment={"PGDATA": "/var/lib/postgresql/data/17"},
            volumes={
                self.database.volume("data"): {"bind": "/var/lib/postgresql/data", "mode": "rw"}
            },
        )
        try:
            ended = container.wait(timeout=1800)
            printed = container.logs(stderr=False).decode()
            if ended["StatusCode"]:
                raise RuntimeError(container.logs().decode())
        finally:
            container.remove(force=True)
        rows = [line.split("\t") for line in printed.splitlines()]
        return [(name, float(seconds), int(size)) for name, seconds, size in rows]


@contextmanager
def a_cluster() -> Iterator[Cluster]:
    """Make one, with the database's memory limited as in the stack; remove it afterwards."""
    with tempfile.TemporaryDirectory() as folder, Database(Path(folder)).running() as database:
        database.server.update(mem_limit=DATABASE_MEMORY, memswap_limit=DATABASE_MEMORY)
        with Cluster(database).running() as cluster:
            yield cluster
