from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backup.catalogue.manifest import Base, Copy, Fingerprint, Manifest, Origin, id_of
from backup.catalogue.retention import Rules, expired, expired_bases, kept_at, surplus

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # a Sunday
WEEK = Rules(days=7)


def a_manifest(*, days_old: float, state: Any = "proven") -> Manifest:
    taken = NOW - timedelta(days=days_old)
    return Manifest(
        id=id_of(taken),
        state=state,
        started_at=taken,
        finished_at=taken,
        bytes=1,
        bytes_stored=1,
        steps={},
        copies={},
        origin=Origin(database="keelson", server_version="17.6", roles=[], grants=[]),
        fingerprint=Fingerprint(tables={}, sequences={}),
    )


def gone(manifests: list[Manifest], rules: Rules) -> list[float]:
    """Return how many days old those are that go."""
    return [
        (NOW - manifest.started_at) / timedelta(days=1)
        for manifest in expired(manifests, NOW, rules)
    ]


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        pytest.param([], [], id="nothing to keep or lose"),
        pytest.param([0, 1, 6.5], [], id="young ones stay"),
        pytest.param([0, 7], [], id="on the very edge it stays"),
        pytest.param([0, 1, 2, 7.25], [7.25], id="past the edge it goes"),
        pytest.param([0, 8, 30, 9, 1, 2], [30, 9, 8], id="oldest first, whatever the order"),
        pytest.param([30], [], id="the only one stays, however old"),
        pytest.param([33, 32, 31, 30], [33], id="the newest three stay when all are old"),
        pytest.param([-4000, 8, 9], [], id="one from the future is not the newest"),
        pytest.param([-4000, 8, 9, 10, 11], [11], id="and takes the place of no other"),
    ],
)
def test_old_backups_go_and_the_newest_three_never(
    ages: list[float], expected: list[float]
) -> None:
    assert gone([a_manifest(days_old=age) for age in ages], WEEK) == expected


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        pytest.param(Rules(7), [0, 1, 2, 3, 4, 5, 6, 7], id="days alone"),
        pytest.param(Rules(1, weekly=3), [0, 1, 2, 7, 14], id="the Sunday of each of three weeks"),
        pytest.param(Rules(1, monthly=3), [0, 1, 2, 22, 53], id="the last of each of three months"),
        pytest.param(
            Rules(2, weekly=2, monthly=2), [0, 1, 2, 7, 22], id="each rule keeps what it keeps"
        ),
        pytest.param(Rules(1, weekly=500), [0, 1, 2, *range(7, 60, 7)], id="more than there are"),
    ],
)
def test_one_a_week_and_one_a_month_stay_longer(rules: Rules, kept: list[int]) -> None:
    ages = list(range(60))

    left = set(gone([a_manifest(days_old=age) for age in ages], rules))

    assert [age for age in ages if age not in left] == kept


def test_one_that_was_never_proven_goes_once_a_newer_one_is() -> None:
    never = a_manifest(days_old=1, state="stored")

    assert expired([never, a_manifest(days_old=0)], NOW, WEEK) == [never]
    assert expired([a_manifest(days_old=2), never], NOW, WEEK) == []
    assert expired([never], NOW + timedelta(days=100), WEEK) == []


def test_however_many_fail_the_last_proven_one_stays() -> None:
    good = a_manifest(days_old=90)
    bad = [a_manifest(days_old=age, state="stored") for age in range(89)]

    assert expired([good, *bad], NOW, WEEK) == []


def a_base(*, days_old: float) -> Base:
    taken = NOW - timedelta(days=days_old)
    return Base(
        id=id_of(taken),
        started_at=taken,
        consistent_at=taken,
        system_id="1",
        stretch="1",
        first_segment="000000010000000000000001",
        bytes=1,
        bytes_stored=1,
        steps={},
        copies={},
    )


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        pytest.param([0, 1, 7], [], id="in the window they stay"),
        pytest.param(
            [0, 6.5, 7.5], [], id="the one from before the window is needed by its first day"
        ),
        pytest.param([0, 6.5, 7.5, 8.5, 20], [20, 8.5], id="those before that one are not"),
        pytest.param([40, 30], [40], id="the newest stays, however old"),
    ],
)
def test_base_that_an_instant_of_the_window_needs_stays(
    ages: list[float], expected: list[float]
) -> None:
    bases = [a_base(days_old=age) for age in ages]

    assert expired_bases(bases, NOW, WEEK) == [a_base(days_old=age) for age in expected]


def kept_of(ages: dict[float, list[str]], target: str, kind: Any = a_manifest) -> list[float]:
    """Return how many days old those are that never go from a target; of each is told where it lies."""
    found: dict[str, float] = {}
    records = []
    for days, names in ages.items():
        copies = {name: Copy(snapshot=f"{days}-{name}", stored_at=NOW) for name in names}
        found |= {copy.snapshot: days for copy in copies.values()}
        records.append(kind(days_old=days).model_copy(update={"copies": copies}))
    stored, bases = (records, []) if kind is a_manifest else ([], records)
    return sorted(found[one] for one in kept_at(stored, bases, target, NOW, WEEK))


@pytest.mark.parametrize(
    ("ages", "kept"),
    [
        pytest.param({0: ["local"], 30: ["sftp"], 31: ["sftp"]}, [30], id="its own newest"),
        pytest.param({0: ["local", "sftp"], 30: ["sftp"]}, [0], id="it has the newest of all"),
        pytest.param({0: ["local"]}, [], id="it has none"),
        pytest.param({-4000: ["sftp"], 30: ["sftp"]}, [30], id="one from the future is not it"),
    ],
)
def test_the_newest_proven_backup_that_a_target_has_never_goes_from_there(
    ages: dict[float, list[str]], kept: list[float]
) -> None:
    assert kept_of(ages, "sftp") == kept


def test_one_that_was_never_proven_is_not_held_at_a_target() -> None:
    never = a_manifest(days_old=3, state="stored").model_copy(
        update={"copies": {"sftp": Copy(snapshot="never", stored_at=NOW)}}
    )

    assert kept_at([never], [], "sftp", NOW, WEEK) == set()


@pytest.mark.parametrize(
    ("ages", "kept"),
    [
        pytest.param({0: ["local"], 20: ["sftp"], 21: ["sftp"]}, [20], id="nothing came after it"),
        pytest.param({1: ["sftp"], 8: ["local"], 9: ["sftp"]}, [9], id="its window needs it"),
        pytest.param({1: ["sftp"], 2: ["sftp"]}, [], id="in the window nothing goes anyway"),
    ],
)
def test_the_newest_base_from_before_the_window_that_a_target_has_stays_there(
    ages: dict[float, list[str]], kept: list[float]
) -> None:
    assert kept_of(ages, "sftp", a_base) == kept


@dataclass(frozen=True)
class FakeSnapshot:
    """What was stored at a time."""

    time: datetime


def test_snapshots_of_the_log_thin_out() -> None:
    minutes = [FakeSnapshot(NOW - timedelta(minutes=age)) for age in range(60 * 24 * 10)]

    left = set(minutes) - set(surplus(minutes, NOW, WEEK))

    ages = sorted((NOW - snapshot.time) / timedelta(minutes=1) for snapshot in left)
    assert ages[:10] == list(range(10))  # the newest
    assert (
        len(ages) == 10 + 23 + 6
    )  # and one an hour of the day before, one a day of the days before
    assert ages[-1] <= 7 * 24 * 60


def test_stretch_that_is_older_than_the_window_goes_as_a_whole() -> None:
    old = [FakeSnapshot(NOW - timedelta(days=8, minutes=age)) for age in range(20)]

    assert len(surplus(old, NOW, WEEK)) == 20
