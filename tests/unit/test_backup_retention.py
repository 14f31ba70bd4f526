from datetime import UTC, datetime, timedelta

import pytest

from backup.manifest import Fingerprint, Manifest, Origin, id_of
from backup.retention import expired

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
KEEP = timedelta(days=7)


def a_manifest(*, days_old: float) -> Manifest:
    taken = NOW - timedelta(days=days_old)
    return Manifest(
        id=id_of(taken),
        started_at=taken,
        finished_at=taken,
        bytes=1,
        sha256="",
        origin=Origin(database="keelson", server_version="17.6", roles=[], grants=[]),
        fingerprint=Fingerprint(tables={}, sequences={}),
    )


@pytest.mark.parametrize(
    ("ages", "gone"),
    [
        pytest.param([], [], id="nothing to keep or lose"),
        pytest.param([0, 1, 6.9], [], id="young ones stay"),
        pytest.param([0, 7], [], id="on the very edge it stays"),
        pytest.param([0, 7.01], [7.01], id="past the edge it goes"),
        pytest.param([0, 8, 30, 9], [30, 9, 8], id="oldest first, whatever the order"),
        pytest.param([30], [], id="the only one stays, however old"),
        pytest.param([31, 30], [31], id="the newest stays when all are old"),
        pytest.param([-1, 8], [8], id="a clock that was set back harms nothing"),
    ],
)
def test_old_backups_go_and_the_newest_never(ages: list[float], gone: list[float]) -> None:
    proven = [a_manifest(days_old=age) for age in ages]

    ids = expired(proven, NOW, KEEP)

    assert ids == [a_manifest(days_old=age).id for age in gone]
