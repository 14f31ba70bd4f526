"""When the received log goes on, when it begins anew, and what of it is removed."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, id_of
from backup.stream import bases, segments, stretches
from backup.stream.segments import SIZE
from backup.stream.slot import Kept

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SYSTEM = "7"


def kept(restart: int, flushed: int) -> Kept:
    """Return a database that has its log for us from segment `restart` to the middle of `flushed`."""
    lsns = [f"0/{number * SIZE + SIZE // 2:X}" for number in (restart, flushed)]
    return Kept(SYSTEM, lsns[0], lsns[1], was_lost=False)


def receive(stretch: Path, *numbers: int, partial: int | None = None) -> None:
    names = [str(segments.Segment(number, 1)) for number in numbers]
    names += [f"{segments.Segment(partial, 1)}.partial"] if partial else []
    for name in names:
        with (stretch / name).open("wb") as file:
            file.truncate(SIZE)


def a_base(stretch: str, first: int, hours: int = 0) -> Base:
    began = NOON + timedelta(hours=hours)
    return Base(
        id=id_of(began),
        started_at=began,
        consistent_at=began,
        system_id=SYSTEM,
        stretch=stretch,
        first_segment=str(segments.Segment(first, 1)),
        bytes=1,
        bytes_stored=1,
        steps={},
        copies={},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_restart_goes_on_with_the_same_stretch(folder: Folder) -> None:
    first = stretches.ready(folder, kept(1, 1), NOON)
    receive(first, 1, 2, partial=3)

    again = stretches.ready(folder, kept(3, 5), NOON + timedelta(hours=1))

    assert again == first
    assert stretches.gaps(folder) == []


@pytest.mark.parametrize(
    ("numbers", "partial", "database", "reason"),
    [
        pytest.param([1, 2], 3, kept(4, 9), "no log from before", id="the database threw it away"),
        pytest.param([1, 3], 4, kept(4, 4), "is missing", id="a file is gone"),
        pytest.param([2, 3], 4, kept(4, 4), "is missing", id="what the base needs is gone"),
        pytest.param([], None, kept(4, 4), "all of the received log is gone", id="all is gone"),
        pytest.param([1, 2, 3], 4, kept(1, 2), "it was put back", id="the database is older"),
    ],
)
def test_what_cannot_be_gone_on_with_is_a_gap_and_a_new_stretch(
    folder: Folder, numbers: list[int], partial: int | None, database: Kept, reason: str
) -> None:
    first = stretches.ready(folder, kept(1, 1), NOON)
    receive(first, *numbers, partial=partial)
    folder.save(a_base(first.name, 1))

    second = stretches.ready(folder, database, NOON)

    assert second.name > first.name
    (gap,) = stretches.gaps(folder)
    assert gap.stretch == first.name
    assert reason in "; ".join(gap.reasons)


@pytest.mark.parametrize("size", [0, SIZE - 1])
def test_a_newest_file_that_is_short_is_received_again(folder: Folder, size: int) -> None:
    first = stretches.ready(folder, kept(1, 1), NOON)
    receive(first, 1, 2, partial=3)
    folder.save(a_base(first.name, 1))
    short = first / f"{segments.Segment(3, 1)}.partial"
    os.truncate(short, size)

    again = stretches.ready(folder, kept(3, 3), NOON)

    assert (again, short.exists()) == (first, False)
    assert stretches.gaps(folder) == []


def test_a_short_file_that_the_database_has_no_more_is_a_gap(folder: Folder) -> None:
    first = stretches.ready(folder, kept(1, 1), NOON)
    receive(first, 1, 2, partial=3)
    os.truncate(first / f"{segments.Segment(3, 1)}.partial", 1)

    assert stretches.ready(folder, kept(4, 4), NOON) != first
    assert len(stretches.gaps(folder)) == 1


def test_another_cluster_has_a_log_of_its_own(folder: Folder) -> None:
    first = stretches.ready(folder, kept(1, 1), NOON)
    receive(first, 1, 2)

    other = stretches.ready(folder, Kept("8", "0/1000000", "0/1000000", was_lost=False), NOON)

    assert other.parent.name == "8"
    assert stretches.gaps(folder) == []


def test_log_below_the_oldest_kept_base_is_removed_and_no_other(folder: Folder) -> None:
    stretch = stretches.ready(folder, kept(1, 1), NOON)
    receive(stretch, 1, 2, 3, 4, partial=5)

    removed = stretches.prune_log(folder, [a_base(stretch.name, 4), a_base(stretch.name, 3)])

    assert removed == 2
    assert segments.lowest(stretches.sizes(stretch)) == 3
    assert segments.next_wanted(stretches.sizes(stretch)) == 5


def test_an_older_stretch_stays_until_the_newest_has_a_base(folder: Folder) -> None:
    old = stretches.ready(folder, kept(1, 1), NOON)
    receive(old, 1, 3)
    new = stretches.ready(folder, kept(9, 9), NOON)
    receive(new, 9)

    assert stretches.prune_log(folder, [a_base(old.name, 1)]) == 0
    assert stretches.prune_log(folder, [a_base(old.name, 1), a_base(new.name, 9)]) == 2
    assert (old.exists(), new.exists()) == (False, True)


def test_the_log_of_a_former_cluster_stays_as_long_as_a_base_of_it(folder: Folder) -> None:
    former = stretches.ready(folder, kept(1, 1), NOON)
    receive(former, 1, 2)
    assert stretches.prune_log(folder, []) == 0

    stretches.ready(folder, Kept("8", "0/1000000", "0/1000000", was_lost=False), NOON)

    assert stretches.prune_log(folder, [a_base(former.name, 1)]) == 0
    assert stretches.prune_log(folder, []) == 2
    assert [path.name for path in folder.log.iterdir()] == ["8"]


def test_a_gap_is_known_as_long_as_what_comes_before_it(folder: Folder) -> None:
    old = stretches.ready(folder, kept(1, 1), NOON)
    receive(old, 1, 3)
    new = stretches.ready(folder, kept(9, 9), NOON)
    both = [a_base(old.name, 1), a_base(new.name, 9)]

    stretches.prune_log(folder, both)
    assert [gap.stretch for gap in stretches.gaps(folder)] == [old.name]

    stretches.prune_log(folder, both[1:])
    assert stretches.gaps(folder) == []


@pytest.mark.parametrize(
    ("taken", "now", "expected"),
    [
        pytest.param([], 0, True, id="none yet"),
        pytest.param([a_base("old", 1)], 0, True, id="only one of before the gap"),
        pytest.param([a_base("now", 1)], 23, False, id="one of today"),
        pytest.param([a_base("now", 1)], 24, True, id="one of yesterday"),
        pytest.param([a_base("now", 9999)], 24, True, id="one from the future"),
    ],
)
def test_a_base_is_due_daily_and_at_once_after_a_gap(
    taken: list[Base], now: int, expected: bool
) -> None:
    assert bases.due(taken, "now", NOON + timedelta(hours=now)) is expected


def test_the_first_segment_is_read_from_the_base_itself() -> None:
    label = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nCHECKPOINT LOCATION: 0/2000080\n"

    assert bases.first_segment(label) == "000000010000000000000002"
