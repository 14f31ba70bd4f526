"""The stream in a container, ticking without a pause; somebody who writes meanwhile; and recoveries."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg2
from sqlalchemy import make_url, text

from tests.integration.backups import FOLDER, Backups, backups_of
from tests.integration.postgres import Database
from tests.waiting import eventually

LOG_SHOWN = 6000
PAUSE_SECONDS = 0.3
LOG = f"{FOLDER}/wal"
HOLD = "/tmp/hold"  # noqa: S108 in the container; while it is there nothing is shipped

STREAM = f"""
import json, time
from pathlib import Path
from backup.catalogue.folder import Folder
from backup.clock import now
from backup.repository.opening import opened
from backup.settings import Settings
from backup.stream.service import Stream
from common import logs
from common.database import open_engine
logs.configure("backup", "INFO")
HOLD = Path("{HOLD}")
settings = Settings.read()
with opened(settings) as repositories:
    engine = open_engine(settings, "backup")
    stream = Stream(engine, settings.url(), Folder(settings.backup_folder), repositories, now)
    stream.start()
    while True:
        while HOLD.exists():
            time.sleep({PAUSE_SECONDS})
        trouble = stream.tick()
        print(json.dumps({{"tick": trouble, "due": stream.base_due()}}), flush=True)
        time.sleep({PAUSE_SECONDS})
"""

# For each question one recovery; with a base's id it begins there, whatever would be chosen.
RECOVER = """
import json, subprocess, sys
from datetime import datetime
from backup.catalogue.folder import Folder
from backup.content import reading
from backup.errors import BackupError
from backup.postgres import programs, scratch
from backup.repository.opening import opened
from backup.settings import Settings
from backup.stream import points, recovery
settings = Settings.read()
folder = Folder(settings.backup_folder)
AMCHECK = ["pg_amcheck", "--install-missing", "--heapallindexed", "--rootdescend", "--database=keelson"]

def answered(asked, repositories):
    instant = datetime.fromisoformat(asked["instant"]) if asked["instant"] else None
    bases = [b for b in folder.bases() if asked["base"] in (None, b.id)]
    choice = recovery.choose(bases, points.windows(folder), instant)
    repository = next(r for r in repositories if r.target.name == choice.target)
    with recovery.recovered(repository, choice.base, choice.instant, folder) as url:
        url = url.set(database="keelson")
        with scratch.open_engine(url).connect() as connection:
            rows = list(connection.exec_driver_sql("SELECT n FROM markers ORDER BY n").scalars())
        content = reading.read(scratch.open_engine(url)).model_dump(mode="json")
        if asked["amcheck"]:
            programs.run(*AMCHECK, "--host", str(folder.recovery), "--username=postgres", "--no-password")
    return {"base": choice.base.id, "markers": rows, "fingerprint": content}

with opened(settings) as repositories, folder.claimed():
    for asked in json.loads(sys.argv[1]):
        try:
            print(json.dumps(answered(asked, repositories)), flush=True)
        except BackupError as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Marker:
    """A row, and the database's clock before it was committed and after that."""

    number: int
    before: datetime
    after: datetime


@dataclass
class Writer:
    """Commits one numbered row after the other, and notes what the database has acknowledged."""

    database: Database
    part: str = "web"
    first: int = 0
    written: list[Marker] = field(default_factory=list)

    @contextmanager
    def writing(self) -> Iterator["Writer"]:
        """Write until the end of the block, or the end of the database; the block begins with the first row."""
        with self.begun():
            eventually(lambda: self.written, 30, "the first marker")
            yield self

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Write until the end of the block, and do not wait for anything."""
        done = threading.Event()
        thread = threading.Thread(target=self._write, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(30)

    def _write(self, done: threading.Event) -> None:
        url = make_url(self.database.url(self.part)).set(drivername="postgresql")
        session = psycopg2.connect(url.render_as_string(hide_password=False), connect_timeout=5)
        session.autocommit = True
        number = self.first
        try:
            with session.cursor() as cursor:
                while not done.is_set():
                    cursor.execute(
                        "INSERT INTO markers VALUES (%s) RETURNING clock_timestamp()", (number,)
                    )
                    (before,) = cursor.fetchone() or (None,)
                    cursor.execute("SELECT clock_timestamp()")
                    (after,) = cursor.fetchone() or (None,)
                    assert before is not None
                    assert after is not None
                    self.written.append(Marker(number, before, after))
                    number += 1
        except psycopg2.Error:
            return  # the database has gone, as some tests want it to
        finally:
            session.close()


class Streaming:
    """A container with the stream at work, and what tests ask of it."""

    def __init__(self, database: Database, backups: Backups) -> None:
        self.database = database
        self.backups = backups

    def ticks(self) -> list[dict[str, Any]]:
        """Return what each tick has said."""
        lines = self.backups.container.logs().decode().splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"tick"')]

    def logged(self) -> str:
        """Return all that it has logged."""
        return str(self.backups.container.logs().decode())

    def is_well(self) -> bool:
        """Say whether the last tick found nothing wrong."""
        return bool(self.ticks()) and self.ticks()[-1]["tick"] is None

    def points(self) -> dict[str, Any]:
        """Return what the verb says."""
        answer = self.backups.verb("points", "--json")
        assert answer.code == 0, answer
        found: dict[str, Any] = json.loads(answer.out)
        return found

    def base(self) -> str:
        """Take a base backup, which must succeed; return its id."""
        answer = self.backups.verb("base", "--json")
        assert answer.code == 0, answer
        taken: str = json.loads(answer.out)["id"]
        return taken

    def until(self) -> datetime:
        """Return the latest instant that can be restored; long ago where there is none."""
        targets = self.points()["targets"]
        return (
            datetime.fromisoformat(targets[0]["until"])
            if targets
            else datetime.min.replace(tzinfo=UTC)
        )

    def ship(self) -> datetime:
        """Wait until all that is committed by now can be restored; return the latest such instant."""
        with self.database.engine("backup").connect() as connection:
            now = connection.scalars(text("SELECT clock_timestamp()")).one()
        eventually(lambda: self.until() > now, 60, "what was committed is shipped")
        return self.until()

    def recover(
        self, instants: Sequence[datetime | None], base: str | None = None, *, amcheck: bool = False
    ) -> list[dict[str, Any]]:
        """Recover to each instant; return what was found there, or the error."""
        asked = [
            {"instant": at.isoformat() if at else None, "base": base, "amcheck": amcheck}
            for at in instants
        ]
        answer = self.backups.run("python", "-c", RECOVER, json.dumps(asked))
        assert answer.code == 0, answer
        return [json.loads(line) for line in answer.out.splitlines() if line.startswith("{")]

    def shell(self, script: str) -> str:
        """Run a script in the folder of the stretch that is received into."""
        answer = self.backups.run("sh", "-c", f"cd $(ls -d {LOG}/*/* | tail -n 1) && {script}")
        assert answer.code == 0, answer
        return answer.out

    def switch(self, times: int = 1) -> None:
        """Have the database end so many segments, each with something in it, all of them received."""
        for _ in range(times):
            self.backups.superuser(
                "SELECT pg_logical_emit_message(true, 'test', ''); SELECT pg_switch_wal()"
            )
        flushed = self.backups.superuser(
            "SELECT pg_walfile_name(pg_current_wal_flush_lsn())"
        ).split()[-1]
        eventually(
            lambda: flushed[:24] <= max(self.shell("ls").split())[:24] or self.received(), 30
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the log received, and nothing of it shipped, until the end of the block."""
        self.backups.run("touch", HOLD)
        ticks = len(self.ticks())
        yield
        assert len(self.ticks()) <= ticks + 1  # one was under way
        self.backups.run("rm", HOLD)

    def end(self) -> None:
        """End the stream; the container only waits to be told verbs."""
        self.backups.container.remove(force=True)
        self.backups.start()

    def received(self) -> bool:
        """Say whether all that the database has written has arrived."""
        query = "SELECT flush_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication"
        return "t" in self.backups.superuser(query).split()


@contextmanager
def streaming(database: Database, **environment: str) -> Iterator[Streaming]:
    """Have the stream at work with a first base, a table for markers, and nothing of it afterwards."""
    with backups_of(database, **environment) as backups:
        owner = database.engine("owner")
        with owner.begin() as connection:
            connection.execute(text("CREATE TABLE markers (n int PRIMARY KEY)"))
            connection.execute(text("GRANT SELECT, INSERT ON markers TO keelson_web"))
        stream = Streaming(database, backups)
        backups.container.remove(force=True)
        backups.start("python", "-c", STREAM, **environment)
        try:
            eventually(lambda: stream.ticks() and stream.ticks()[-1]["due"], 30, "it receives")
            stream.base()
            stream.ship()
            yield stream
        except BaseException:
            print(stream.logged()[-LOG_SHOWN:])  # noqa: T201 shown with what failed
            raise
        finally:
            stream.end()
            if database.alive():
                drop(database, backups)


def drop(database: Database, backups: Backups) -> None:
    """Remove the table and the slot."""
    with database.engine("owner").begin() as connection:
        connection.execute(text("DROP TABLE markers"))
    free = "SELECT count(*) FROM pg_replication_slots WHERE active"
    eventually(lambda: backups.superuser(free).strip() == "0", 30, "the slot is free")
    backups.superuser("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def exactly(markers: Sequence[Marker], instant: datetime, found: Sequence[int]) -> bool:
    """Say whether `found` is what was committed by then; the one under way may be there or not."""
    surely = [marker.number for marker in markers if marker.after <= instant]
    perhaps = [marker.number for marker in markers if marker.before <= instant]
    return list(found) in (surely, perhaps)
