"""The backup image in containers beside the database, as the stack runs it: worker and restore."""

import json
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import docker
from sqlalchemy import Connection, Engine, text

from tests.images import image
from tests.integration.cheap_repository import cheapened
from tests.integration.postgres import Database
from tests.waiting import eventually

FOLDER = "/var/lib/keelson/backups"
CATALOGUE = f"{FOLDER}/catalogue"
KEY = {"BACKUP_REPOSITORY_KEY_FILE": "/run/keelson/backup/repository_key"}
SLOW = "keelson.slow"
LOCK = text("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
IN_LINE = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
IN_SCRATCH = "current_database() = 'postgres'"
WHEN_TOLD = f"current_setting('{SLOW}', true) = 'on'"
HARDENED: dict[str, Any] = {
    "read_only": True,
    "init": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "tmpfs": {"/tmp": "mode=1777"},  # noqa: S108 the container's own
}


@dataclass(frozen=True)
class Answer:
    """What a command in a container came to."""

    code: int
    out: str
    err: str


class Backups:
    """One volume of backups, a container at work on it, and the one-shot that restores from it."""

    def __init__(self, database: Database, volume: str) -> None:
        self.database = database
        self.volume = volume
        self._docker = docker.from_env()
        self.container: Any = None

    def start(self, *command: str, **environment: str) -> None:
        """Start the container; without a command it only waits to be told verbs."""
        self.container = self._docker.containers.run(
            image("backup"),
            list(command or ["sleep", "infinity"]),
            detach=True,
            hostname="backup",
            network=self.database.network,
            environment={
                "DATABASE_URL_FILE": "/run/keelson/backup/database_url",
                **KEY,
                **environment,
            },
            volumes=self.database.mounts("ca", "backup")
            | {self.volume: {"bind": FOLDER, "mode": "rw"}},
            **HARDENED,
        )

    def have_repository(self) -> None:
        """Have the local repository there already, empty."""
        self.container.put_archive(FOLDER, _empty_repository(self.database))

    def run(self, *command: str) -> Answer:
        """Run a command in the container to its end."""
        result = self.container.exec_run(list(command), demux=True)
        out, err = (part.decode() if part else "" for part in result.output)
        return Answer(result.exit_code, out, err)

    def verb(self, *arguments: str) -> Answer:
        """Run one of the worker's verbs in the container."""
        return self.run("python", "-m", "backup", *arguments)

    def begin(self, *command: str) -> None:
        """Start a command in the container and do not wait for it."""
        self.container.exec_run(list(command), detach=True)

    def take(self) -> str:
        """Take a backup, which must succeed; return its id."""
        answer = self.verb("take", "--json")
        assert answer.code == 0, answer
        taken: str = json.loads(answer.out)["id"]
        return taken

    def listed(self) -> list[dict[str, Any]]:
        """Return the backups that count, newest first."""
        found: list[dict[str, Any]] = json.loads(self.verb("list", "--json").out)
        return found

    def known(self) -> list[str]:
        """Return the names of what the catalogue knows, oldest first; nothing else counts."""
        names = self.run("ls", "-A", CATALOGUE).out.split()
        return sorted(name for name in names if name != "bases" and not name.endswith(".sql"))

    def edit(self, backup_id: str, change: str) -> None:
        """Change the manifest `m` of a backup by a statement."""
        program = (
            "import json, pathlib, sys; p = pathlib.Path(sys.argv[1]); m = json.loads(p.read_text());"
            f" {change}; p.write_text(json.dumps(m))"
        )
        answer = self.run("python", "-c", program, f"{CATALOGUE}/{backup_id}.json")
        assert answer.code == 0, answer

    def snapshots(self, tag: str = "logical") -> list[dict[str, Any]]:
        """Return what the local repository has with that tag, oldest first."""
        answer = self.restic("snapshots", "--no-lock", "--json", "--tag", tag)
        found: list[dict[str, Any]] = json.loads(answer.out)
        return found

    def restic(self, *arguments: str) -> Answer:
        """Run restic on the local repository, as an operator would by hand."""
        key = f"RESTIC_PASSWORD=$(cat {KEY['BACKUP_REPOSITORY_KEY_FILE']})"
        command = f"{key} restic -r {FOLDER}/repository --no-cache {' '.join(arguments)}"
        return self.run("sh", "-c", command)

    def left_over(self) -> list[str]:
        """Return what lies on the volume only while something is at work."""
        names = [".scratch", ".begun", ".stage"]
        found = self.run("sh", "-c", f"cd {FOLDER} && find {' '.join(names)} -type f 2>/dev/null")
        return sorted(found.out.split())

    def processes(self) -> str:
        """Return the command lines of all processes of the container."""
        every = "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done 2>/dev/null"
        return self.run("sh", "-c", every).out

    def signal_take(self, name: str) -> None:
        """Send a signal to the process that takes a backup, not to what it has started."""
        find = "for p in /proc/[0-9]*; do [ \"$(tr '\\0' ' ' <$p/cmdline 2>/dev/null)\" = 'python -m backup take ' ]"
        answer = self.run("sh", "-c", f"{find} && kill -{name} ${{p#/proc/}}; done; true")
        assert answer.code == 0, answer

    def overwrite(self, name: str, offset: int) -> None:
        """Flip the bits of one byte of a file on the volume."""
        flip = (
            "import sys; f = open(sys.argv[1], 'r+b'); o = int(sys.argv[2]); f.seek(o);"
            " b = f.read(1)[0]; f.seek(o); f.write(bytes([b ^ 0xFF]))"
        )
        answer = self.run("python", "-c", flip, f"{FOLDER}/{name}", str(offset))
        assert answer.code == 0, answer

    def restore(self, *arguments: str) -> Answer:
        """Run the one-shot that restores to its end."""
        container = self._create_restore(*arguments)
        try:
            container.start()
            code = container.wait()["StatusCode"]
            out, err = (
                container.logs(stdout=wanted, stderr=not wanted).decode()
                for wanted in (True, False)
            )
            return Answer(code, out, err)
        finally:
            container.remove(force=True)

    def _create_restore(self, *arguments: str) -> Any:
        """Make the one-shot, with the owner's secrets and the volume read-only."""
        return self._docker.containers.create(
            image("backup"),
            ["python", "-m", "backup", "restore", *arguments],
            network=self.database.network,
            environment={"DATABASE_URL_FILE": "/run/keelson/owner/database_url", **KEY},
            group_add=["10005"],
            volumes=self.database.mounts("ca", "owner", "backup")
            | {self.volume: {"bind": FOLDER, "mode": "rw"}},
            **HARDENED,
        )

    @contextmanager
    def restore_held_up(self) -> Iterator[Any]:
        """Begin a restore of what has a slow table, and yield its container while it sleeps."""
        container = self._create_restore("--yes")
        asleep = "SELECT datname FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        self.superuser(f"ALTER ROLE keelson_owner SET {SLOW} = 'on'")
        try:
            container.start()
            eventually(lambda: "keelson_restore_" in self.superuser(asleep), 30, "it is at work")
            yield container
        finally:
            self.superuser(f"ALTER ROLE keelson_owner RESET {SLOW}")
            container.remove(force=True)

    def rows(self) -> list[tuple[str, str | None]]:
        """Return the states and reasons in the table `backups`, oldest first."""
        with self.database.engine("web").connect() as connection:
            query = text("SELECT state, reason FROM backups ORDER BY started_at")
            return [(row.state, row.reason) for row in connection.execute(query)]

    def kill(self, program: str, name: str = "KILL") -> None:
        """Send a signal to every process whose command line begins with this."""
        find = f'for p in /proc/[0-9]*; do case "$(tr "\\0" " " <$p/cmdline 2>/dev/null)" in "{program}"*)'
        answer = self.run("sh", "-c", f"{find} kill -{name} ${{p#/proc/}};; esac; done; true")
        assert answer.code == 0, answer

    def waits_for_a_lock(self, application: str) -> bool:
        """Say whether a session of this application stands in line for a lock."""
        query = f"wait_event_type FROM pg_stat_activity WHERE application_name = '{application}'"
        return "Lock" in self.superuser(f"SELECT {query}")

    def superuser(self, query: str) -> str:
        """Return what the database tells its superuser, who alone sees what others do."""
        command = ["psql", "--host=/run/postgresql", "--username=postgres", "-Atc", query]
        result = self.database.server.exec_run(command)
        assert result.exit_code == 0, result.output
        return str(result.output.decode())

    @contextmanager
    def pg_dump_held_up(self) -> Iterator[None]:
        """Take a backup, and hold it up in the dump on its way into the repository, until the block's end.

        The definitions are read before, by another pg_dump: it is let through, and who stands in line behind
        it has the lock before the dump asks for it.
        """
        owner = self.database.engine("owner")
        with self._partitioned(), owner.connect() as next_one, ThreadPoolExecutor(1) as pool:
            with owner.begin() as first_one:
                first_one.execute(LOCK)
                self.begin("python", "-m", "backup", "take")
                eventually(lambda: self.waits_for_a_lock("pg_dump"), 30, "pg_dump waits")
                locked = pool.submit(next_one.execute, LOCK)
                eventually(lambda: self.superuser(IN_LINE).strip() == "2", 30, "who is next waits")
            locked.result(30)
            eventually(lambda: self.waits_for_a_lock("pg_dump"), 30, "the dump waits")
            assert "restic" in self.processes()
            yield
            next_one.rollback()

    @contextmanager
    def no_pg_dump_gets_on(self) -> Iterator[Connection]:
        """Lock a partitioned table: pg_dump wants it too, and without rows it has no fingerprint.

        Rolled back by the block, what is yielded lets pg_dump on; the table is there until the block's end.
        """
        with self._partitioned(), self.database.engine("owner").connect() as connection:
            connection.execute(LOCK)
            yield connection

    @contextmanager
    def _partitioned(self) -> Iterator[None]:
        owner = self.database.engine("owner")
        with owner.begin() as connection:
            connection.execute(text("CREATE TABLE held (n int) PARTITION BY LIST (n)"))
        try:
            yield
        finally:
            with owner.begin() as connection:
                connection.execute(text("DROP TABLE held"))


@contextmanager
def slow_table(owner: Engine, where: str) -> Iterator[None]:
    """Have a table that takes its time to be restored under that condition, and only then."""
    table = f"""
        CREATE FUNCTION slow(n int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN
            IF {where} THEN PERFORM pg_catalog.pg_sleep(60); END IF;
            RETURN true;
        END $$;
        CREATE TABLE slow (n int CHECK (slow(n)));
        INSERT INTO slow VALUES (1);
    """
    with owner.begin() as connection:
        connection.exec_driver_sql(table)
    try:
        yield
    finally:
        with owner.begin() as connection:
            connection.exec_driver_sql("DROP TABLE slow; DROP FUNCTION slow")


@cache
def _empty_repository(database: Database) -> bytes:
    """Return the archive of a repository with the key of this database's stack."""
    with _backups_of(database, {}) as backups:
        made = backups.restic("init")
        assert made.code == 0, made
        password = backups.run("cat", KEY["BACKUP_REPOSITORY_KEY_FILE"]).out.strip()
        chunks, _ = backups.container.get_archive(f"{FOLDER}/repository")
        return cheapened(b"".join(chunks), password)


@contextmanager
def backups_of(database: Database, **environment: str) -> Iterator[Backups]:
    """Have a volume, a container with these settings that waits for verbs, and a repository; remove all afterwards."""
    with _backups_of(database, environment) as backups:
        backups.have_repository()
        yield backups


@contextmanager
def _backups_of(database: Database, environment: Mapping[str, str]) -> Iterator[Backups]:
    backups = Backups(database, f"keelson-test-backups-{uuid.uuid4().hex[:8]}")
    try:
        backups.start(**environment)
        yield backups
    finally:
        if backups.container is not None:
            backups.container.remove(force=True)
        docker.from_env().volumes.get(backups.volume).remove(force=True)
