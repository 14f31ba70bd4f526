"""The one-shot that restores: what `make restore` and its like start, with the owner's secrets."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker
from sqlalchemy import Engine, insert, select

from common.schema import outbox
from tests.images import image
from tests.integration.backups import FOLDER, HARDENED, KEY, SLOW, Answer, Backups
from tests.waiting import eventually

AGREED = ("--yes", "--end-connections")


class Restores:
    """Runs verbs beside a worker, on its volume, as the database's owner."""

    def __init__(self, backups: Backups, environment: Mapping[str, str] | None = None) -> None:
        self._backups = backups
        self._environment = dict(environment or {})

    def verb(self, *arguments: str) -> Answer:
        """Run a verb to its end."""
        container = self._created(*arguments)
        try:
            container.start()
            return answer_of(container)
        finally:
            container.remove(force=True)

    def restore(self, *arguments: str) -> Answer:
        """Restore, having agreed to all of it."""
        return self.verb("restore", *AGREED, *arguments)

    @contextmanager
    def begun(self, *arguments: str) -> Iterator[Any]:
        """Begin a verb, and yield its container."""
        container = self._created(*arguments)
        try:
            container.start()
            yield container
        finally:
            container.remove(force=True)

    @contextmanager
    def held_up(self) -> Iterator[Any]:
        """Begin a restore of what has a slow table, and yield its container while it loads."""
        asleep = "SELECT datname FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        ask = self._backups.superuser
        ask(f"ALTER ROLE keelson_owner SET {SLOW} = 'on'")
        try:
            with self.begun("restore", *AGREED) as container:
                eventually(lambda: "keelson_restore_" in ask(asleep), 30, "it is at work")
                yield container
        finally:
            ask(f"ALTER ROLE keelson_owner RESET {SLOW}")

    def databases(self) -> list[str]:
        """Return the names of the databases: the live one, and what is kept or made beside it."""
        query = "SELECT datname FROM pg_database WHERE datname LIKE 'keelson%' ORDER BY 1"
        return self._backups.superuser(query).split()

    def in_keelson(self, query: str) -> str:
        """Return what the live database tells its superuser."""
        command = ["psql", "--host=/run/postgresql", "--username=postgres", "-Atc", query]
        result = self._backups.database.server.exec_run([*command, "keelson"])
        assert result.exit_code == 0, result.output
        return str(result.output.decode())

    def _created(self, *arguments: str) -> Any:
        database = self._backups.database
        return docker.from_env().containers.create(
            image("backup"),
            ["python", "-m", "backup", *arguments],
            network=database.network,
            environment={
                "DATABASE_URL_FILE": "/run/keelson/owner/database_url",
                **KEY,
                **self._environment,
            },
            group_add=["10005"],
            volumes=database.mounts("ca", "owner", "backup")
            | {self._backups.volume: {"bind": FOLDER, "mode": "rw"}},
            **HARDENED,
        )


@contextmanager
def restores_of(
    backups: Backups, environment: Mapping[str, str] | None = None
) -> Iterator[Restores]:
    """Have the one-shot, and drop afterwards what its restores have put aside: the server goes on to serve."""
    restores = Restores(backups, environment)
    try:
        yield restores
    finally:
        for name in restores.databases():
            if name != "keelson":
                backups.superuser(f"DROP DATABASE {name} WITH (FORCE)")
        beside = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'restored%'"
        for schema in restores.in_keelson(beside).split():
            restores.in_keelson(f"DROP SCHEMA {schema} CASCADE")


def answer_of(container: Any) -> Answer:
    """Return what a one-shot came to, once it has ended."""
    code = container.wait()["StatusCode"]
    out, err = (
        container.logs(stdout=wanted, stderr=not wanted).decode() for wanted in (True, False)
    )
    return Answer(code, out, err)


def write(engine: Engine, name: str) -> None:
    """Write one row: a mail by that name."""
    mail = {"kind": "test", "sender": "a@example.org", "recipient": "b@example.org"}
    values = {**mail, "subject": "Rows", "message_id": name, "head": b"Rows"}
    with engine.begin() as connection:
        connection.execute(insert(outbox).values(values))


def written(engine: Engine) -> set[str]:
    """Return the names of the rows that are there."""
    with engine.connect() as connection:
        return set(connection.scalars(select(outbox.c.message_id)))
