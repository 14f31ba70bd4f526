"""Which base leads to an instant, and what is said where none does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Copy, id_of
from backup.errors import BackupError, DamagedError, RefusedError
from backup.repository.errors import TargetError
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.restoring import clusters, sources
from backup.restoring.progress import Progress
from backup.stream import points, recovery
from backup.stream.points import Mark, Shipped
from backup.stream.recovery import choose

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def a_base(
    hours: float, stretch: str = "a", targets: Sequence[str] = ("local",), system_id: str = "7"
) -> Base:
    return Base(
        id=id_of(at(hours)),
        started_at=at(hours),
        consistent_at=at(hours),
        system_id=system_id,
        stretch=stretch,
        first_segment="000000010000000000000005",
        bytes=1,
        bytes_stored=1,
        steps={},
        copies={target: Copy(snapshot="s", stored_at=at(hours)) for target in targets},
    )


def a_mark(until: float, stretch: str = "a", first: int = 5, system_id: str = "7") -> Mark:
    return Mark(
        stretch=stretch, system_id=system_id, first=first, until=at(until), snapshot=f"w{until}"
    )


def seen(bases: Sequence[Base], *marks: Mark, target: str = "local") -> dict[str, points.Window]:
    window = points.window(Shipped(target=target, marks=list(marks)), bases)
    return {target: window} if window else {}


def test_the_newest_base_before_the_instant_is_taken() -> None:
    bases = [a_base(0), a_base(1), a_base(2)]

    choice = choose(bases, seen(bases, a_mark(3)), at(1.5))

    assert (choice.base, choice.target, choice.instant) == (bases[1], "local", at(1.5))


def test_without_an_instant_it_is_the_end_of_the_newest_stretch() -> None:
    bases = [a_base(0), a_base(5, "b")]

    choice = choose(bases, seen(bases, a_mark(3), a_mark(6, "b")), None)

    assert (choice.base, choice.instant) == (bases[1], None)


@pytest.mark.parametrize(
    ("hours", "reachable"),
    [
        pytest.param(0, True, id="the earliest"),
        pytest.param(3, True, id="the latest"),
        pytest.param(-0.1, False, id="before the first base"),
        pytest.param(3.1, False, id="after what was shipped"),
        pytest.param(4, False, id="in the gap"),
        pytest.param(5, True, id="after the gap"),
    ],
)
def test_an_instant_is_reached_within_a_span_alone(hours: float, reachable: bool) -> None:
    bases = [a_base(0), a_base(5, "b")]
    windows = seen(bases, a_mark(3), a_mark(6, "b"))

    if reachable:
        assert choose(bases, windows, at(hours)).instant == at(hours)
    else:
        with pytest.raises(
            BackupError, match=r"earliest instant is 2026-01-01 12.*latest 2026-01-01 18"
        ):
            choose(bases, windows, at(hours))


@pytest.mark.parametrize(
    ("base", "mark"),
    [
        pytest.param(a_base(2), a_mark(1), id="its own log is not shipped yet"),
        pytest.param(a_base(0), a_mark(1, first=6), id="the log begins after it"),
        pytest.param(a_base(0, "b"), a_mark(1), id="it belongs to another stretch"),
        pytest.param(a_base(0, targets=["vault"]), a_mark(1), id="it lies elsewhere"),
    ],
)
def test_a_base_without_its_log_gives_no_instant(base: Base, mark: Mark) -> None:
    windows = seen([base], mark)

    assert windows == {}
    with pytest.raises(BackupError, match="no instant can be restored yet"):
        choose([base], windows, at(1))


def test_another_target_serves_where_the_first_does_not_reach() -> None:
    bases = [a_base(0, targets=["local", "vault"])]
    windows = seen(bases, a_mark(1)) | seen(bases, a_mark(2), target="vault")

    assert choose(bases, windows, at(0.5)).target == "local"
    assert choose(bases, windows, at(1.5)).target == "vault"


@pytest.fixture
def made_anew(tmp_path: Path) -> Folder:
    """Return a volume that knows a former cluster, and the one that came after it."""
    folder = Folder(tmp_path)
    former, new = a_base(0), a_base(5, "b", system_id="8")
    for base in (former, new):
        folder.save(base)
    for mark in (a_mark(3), a_mark(6, "b", system_id="8")):
        points.keep(folder, "local", mark)
    return folder


def test_the_end_of_one_of_two_clusters_has_to_be_named(made_anew: Folder) -> None:
    with pytest.raises(RefusedError) as refused:
        sources.chosen(None, made_anew, None)

    told = str(refused.value)
    assert "7, to 2026-01-01 15:00:00 UTC or later (BASE=20260101-120000)" in told
    assert "8, to 2026-01-01 18:00:00 UTC or later (BASE=20260101-170000)" in told
    assert "make restore AT=end BASE=" in told


@pytest.mark.parametrize(
    ("base", "stretch", "until"), [("20260101-120000", "a", 3), ("20260101-170000", "b", 6)]
)
def test_a_base_names_the_cluster_whose_end_is_meant(
    made_anew: Folder, base: str, stretch: str, until: float
) -> None:
    choice = sources.chosen(None, made_anew, None, base)

    assert (choice.base.stretch, choice.instant) == (stretch, None)
    assert sources.until(choice, made_anew) == at(until)


def test_an_instant_needs_no_name_of_a_cluster(made_anew: Folder) -> None:
    assert sources.chosen(at(1), made_anew, None).base.system_id == "7"


def test_a_base_that_is_not_there_is_told_with_those_that_are(made_anew: Folder) -> None:
    with pytest.raises(BackupError, match="no base backup x; there are: 20260101-120000, 2026"):
        sources.chosen(None, made_anew, None, "x")


def test_a_cluster_without_an_instant_yet_counts_too() -> None:
    bases = [a_base(0), a_base(5, "b", system_id="8")]

    with pytest.raises(RefusedError, match="8, without any instant yet"):
        clusters.require_one(bases, seen(bases, a_mark(3)))


def test_what_is_shipped_once_more_to_its_end_is_not_the_latest_again(made_anew: Folder) -> None:
    points.keep(made_anew, "local", a_mark(3).model_copy(update={"snapshot": "to the end"}))

    assert points.windows(made_anew)["local"].until == at(6)
    assert points.needed_snapshots(made_anew, "local") == {"to the end", "w6"}


def failing(error: BackupError, *damaged: str) -> object:
    """Return what recovers, but for those targets."""

    @contextmanager
    def recovered(repository: Repository, *_: object) -> Iterator[URL]:
        if repository.target.name in damaged:
            raise error
        yield URL.create("postgresql", host=repository.target.name)

    return recovered


@pytest.fixture
def two_targets(tmp_path: Path) -> Folder:
    """Return a volume that knows of the same base and log at two targets, at one of them not as far."""
    folder = Folder(tmp_path)
    folder.save(a_base(0, targets=["local", "vault"]))
    points.keep(folder, "local", a_mark(3))
    points.keep(folder, "vault", a_mark(2))
    return folder


def read_from(folder: Folder, instant: datetime | None) -> tuple[str, list[str]]:
    """Return the target that an instant is read from, and what is told meanwhile."""
    repositories = [
        Repository(Target(name, "local", name), "key", None) for name in ("local", "vault")
    ]
    told: list[str] = []
    choice = sources.chosen(instant, folder, None)
    with sources.at_instant(
        choice, repositories, folder, "keelson", Progress(told.append)
    ) as found:
        assert found[1].host == found[0]
        return found[0], told


@pytest.mark.parametrize("error", [TargetError("it is away"), DamagedError("not what was stored")])
@pytest.mark.parametrize("instant", [at(1), None])
def test_a_target_that_fails_is_passed_over_for_the_next_that_has_the_instant(
    two_targets: Folder,
    error: BackupError,
    instant: datetime | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recovery, "recovered", failing(error, "local"))

    target, told = read_from(two_targets, instant)

    assert target == "vault"
    assert f"{error}; asking the next target" in told


def test_a_target_that_does_not_reach_the_instant_is_not_asked(
    two_targets: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "recovered", failing(TargetError("it is away"), "local"))

    with pytest.raises(TargetError, match="it is away"):
        read_from(two_targets, at(2.5))
