"""What a tick writes down of the log that is received, and that it holds nobody up at the end."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Copy, id_of
from backup.errors import BackupError
from backup.repository.answers import Saved
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.stream import points, segments, shipping, slot, stretches, tails
from backup.stream.segments import SIZE
from backup.stream.service import Stream
from backup.stream.shipping import Reached
from backup.stream.slot import Kept

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SLOW_SECONDS = 30.0
OURS, OTHER = "7", "8"


class FakeRepository(Repository):
    """A repository that takes all."""

    def __init__(self, folder: Folder) -> None:
        super().__init__(Target("local", "local", f"{folder.path}/repository"), "key", None)
        self.asked, self.answers = Event(), Event()
        self.given: list[str] = []  # the stretches, one for each time
        self.answers.set()

    def save_folder(self, folder: Path, tags: Sequence[str]) -> Saved:
        """Take it, once it answers."""
        self.asked.set()
        self.answers.wait(SLOW_SECONDS)
        assert folder.is_dir()
        assert tags
        self.given.append(folder.name)
        return Saved("5nap", 1, 1, 1, 0.1)


class Received(Stream):
    """A stream that receives into a folder with one segment; nothing receives in truth."""

    def __init__(self, folder: Folder) -> None:
        engine = create_engine("sqlite://")  # the database is away: it has no replication slot
        url = make_url("postgresql://db/keelson")
        self.repository = FakeRepository(folder)
        super().__init__(engine, url, folder, [self.repository], lambda: NOON)
        self.folder = folder
        self.receive(OURS, "1")
        folder.save(a_base("1"))

    def stop(self) -> None:
        """End it; no receiver was started."""
        self._receiver.stop = lambda: None  # type: ignore[method-assign]
        super().stop()

    def receive(self, system_id: str, stretch: str) -> None:
        """Receive into that stretch from now on."""
        path = self.folder.log / system_id / stretch
        path.mkdir(parents=True)
        with (path / f"{segments.Segment(1, 1)}.partial").open("wb") as file:
            file.truncate(SIZE)
        self._receiver.folder = path


def a_base(stretch: str, hours: int = 0) -> Base:
    return Base(
        id=id_of(NOON + timedelta(hours=hours)),
        started_at=NOON,
        consistent_at=NOON,
        system_id=OURS,
        stretch=stretch,
        first_segment=str(segments.Segment(1, 1)),
        bytes=1,
        bytes_stored=1,
        steps={},
        copies={"local": Copy(snapshot="ba5e", stored_at=NOON)},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def reaching(system_id: str, minutes: int) -> Reached:
    instant = NOON + timedelta(minutes=minutes)
    return Reached(system_id=system_id, instant=instant, lsn=f"0/{SIZE + minutes:X}")


def until(folder: Folder) -> list[datetime]:
    return [mark.until for mark in points.shipped(folder, "local").marks]


def test_an_instant_is_written_down_for_the_stretch_that_has_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "reach", lambda *_: reaching(OURS, 1))

    Received(folder).tick()

    assert until(folder) == [NOON + timedelta(minutes=1)]


def test_an_instant_of_another_cluster_is_none_of_the_stretch(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Received(folder)
    monkeypatch.setattr(shipping, "reach", lambda *_: reaching(OURS, 1))
    stream.tick()
    monkeypatch.setattr(shipping, "reach", lambda *_: reaching(OTHER, 2))

    trouble = stream.tick()

    assert until(folder) == [NOON + timedelta(minutes=1)]
    assert "another cluster" in str(trouble)


def test_an_instant_that_arrived_in_the_next_stretch_is_none_of_this_one(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Received(folder)

    def reach(*_: object) -> Reached:
        stream.receive(OURS, "2")
        return reaching(OURS, 2)

    monkeypatch.setattr(shipping, "reach", reach)

    stream.tick()

    assert until(folder) == []


def test_a_database_that_has_less_than_was_received_was_put_back(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "reach", lambda *_: reaching(OURS, 5))
    Received(folder).tick()
    whole, less = f"0/{SIZE + 5:X}", f"0/{SIZE + 4:X}"
    first = stretches.newest(folder, OURS)

    assert stretches.ready(folder, Kept(OURS, whole, whole, was_lost=False), NOON) == first
    second = stretches.ready(folder, Kept(OURS, less, less, was_lost=False), NOON)

    assert second != first
    (gap,) = stretches.gaps(folder)
    assert "it was put back" in "; ".join(gap.reasons)
    assert stretches.ready(folder, Kept(OURS, less, less, was_lost=False), NOON) == second


def test_a_stop_waits_for_no_target(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "reach", lambda *_: reaching(OURS, 1))
    stream = Received(folder)
    stream.repository.answers.clear()
    tick = Thread(target=stream.tick)
    tick.start()
    assert stream.repository.asked.wait(SLOW_SECONDS)

    stream.stop()

    tick.join(SLOW_SECONDS / 3)
    ended = not tick.is_alive()
    stream.repository.answers.set()
    tick.join()
    assert ended


def test_a_stop_waits_for_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"CLOCK": "1", "COMMIT": "1", "FLUSHED": "'0/1000000'", "RECEIVED": ":lsn = :name"}
    for name, answer in answers.items():
        monkeypatch.setattr(shipping, name, text(f"SELECT {answer}"))
    monkeypatch.setattr(slot, "SYSTEM", text(f"SELECT {OURS}"))
    stopped = Event()
    stopped.set()
    began = time.monotonic()

    with pytest.raises(BackupError, match="stopping"):
        shipping.reach(create_engine("sqlite://"), stopped)

    assert time.monotonic() - began < shipping.RECEIVE_SECONDS / 2


def tick(stream: Received, reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "reach", lambda *_: reached)
    stream.tick()


def test_what_came_in_last_is_shipped_once_more_after_a_stretch_has_ended(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Received(folder)
    tick(stream, reaching(OURS, 1), monkeypatch)
    stream.receive(OTHER, "2")

    for minutes in (2, 3):
        tick(stream, reaching(OTHER, minutes), monkeypatch)

    assert stream.repository.given == ["1", "1"]
    assert until(folder) == [NOON + timedelta(minutes=1)]


def test_a_stretch_that_was_gone_on_with_is_shipped_to_its_end_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Received(folder)
    stream.receive(OTHER, "2")
    tick(stream, reaching(OTHER, 1), monkeypatch)
    newest = folder.log / OURS / "1" / f"{segments.Segment(1, 1)}.partial"
    newest.rename(newest.with_suffix(""))

    tick(stream, reaching(OTHER, 2), monkeypatch)

    assert stream.repository.given == ["1", "1"]


def test_a_former_stretch_that_is_broken_takes_no_place_of_what_was_whole(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "SETTLE_SECONDS", 0)
    stream = Received(folder)
    stream.receive(OTHER, "2")
    (folder.log / OURS / "1" / f"{segments.Segment(1, 1)}.partial").unlink()

    tick(stream, reaching(OTHER, 1), monkeypatch)

    assert stream.repository.given == []
    assert tails.owed(folder, "local") == []


def test_the_files_of_a_former_stretch_stay_until_its_end_is_shipped(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Received(folder)
    stream.receive(OURS, "2")
    folder.save(a_base("2", hours=1))

    assert stretches.prune_log(folder, folder.bases(), ["local"]) == 0
    tick(stream, reaching(OURS, 1), monkeypatch)
    assert stretches.prune_log(folder, folder.bases(), ["local"]) == 1

    assert [path.name for path in (folder.log / OURS).iterdir()] == ["2"]
