"""What is seen of targets and drills, and what is made of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from structlog.testing import capture_logs

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Copy, id_of
from backup.errors import BackupError, BusyError, DamagedError, Interrupted
from backup.operator import watching
from backup.repository.answers import Snapshot
from backup.repository.errors import MissingError, TargetError
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.watching import channels, drills, outcome, problems, targets, trend
from backup.watching.alerts import Alerts
from backup.watching.drills import Drill
from backup.watching.targets import Seen
from tests.backup_manifests import NOON, a_manifest, some_settings
from tests.web_sink import running_sink

DAY = timedelta(days=1)
TODAY = NOON.date()


def sizes(*each: int, until: date = TODAY) -> dict[date, int]:
    return {until - (len(each) - 1 - number) * DAY: size for number, size in enumerate(each)}


@pytest.mark.parametrize(
    ("taken", "limit", "expected"),
    [
        pytest.param(sizes(), 100, trend.Trend(), id="nothing is known"),
        pytest.param(sizes(10, 20), 100, trend.Trend(), id="two days are no trend"),
        pytest.param(sizes(10, 20, 30), 100, trend.Trend(10, 7), id="a week is left"),
        pytest.param(sizes(10, 20, 30), None, trend.Trend(10), id="no limit"),
        pytest.param(sizes(30, 20, 10), 100, trend.Trend(-10), id="it shrinks"),
        pytest.param(sizes(10, 10, 10), 100, trend.Trend(0), id="it stays"),
        pytest.param(sizes(90, 100, 110), 100, trend.Trend(10, 0), id="full already"),
        pytest.param(
            sizes(9999, *[10] * 30),
            100,
            trend.Trend(0),
            id="what was a month ago says nothing",
        ),
    ],
)
def test_trend(taken: dict[date, int], limit: int | None, expected: trend.Trend) -> None:
    assert trend.of(taken, limit) == expected


def test_old_sizes_go() -> None:
    kept = targets.kept_sizes(sizes(*range(450)), 7, TODAY)

    assert len(kept) == 400
    assert kept[TODAY] == 7


class FakeRepository(Repository):
    """A repository of that size, or with that trouble."""

    def __init__(self, folder: Folder, answer: int | Exception) -> None:
        super().__init__(Target("local", "local", f"{folder.path}/repository"), "key", None)
        self._answer = answer
        self.has: list[str] = []
        self.checked: list[str | None] = []

    def size(self) -> int:
        """Return it, or raise it."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def snapshots(self, *_: str) -> list[Snapshot]:
        """Return those that it has."""
        return [Snapshot(one, NOON, (), ()) for one in self.has]

    def check(self, part: str | None = None) -> None:
        """Keep which part was asked for."""
        self.checked.append(part)
        self.size()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def look(folder: Folder, answer: int | Exception, now: datetime = NOON) -> Seen:
    (seen,) = targets.look(folder, [FakeRepository(folder, answer)], now)
    return seen


def test_what_a_target_takes_is_known_day_by_day(folder: Folder) -> None:
    look(folder, 10, NOON - DAY)
    look(folder, 20)
    look(folder, 30, NOON + timedelta(hours=1))

    (seen,) = targets.known(folder)
    assert seen.sizes == sizes(10, 30)
    assert (seen.bytes, seen.trouble, seen.off_site) == (30, None, False)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        pytest.param(TargetError("refused"), "refused", id="it is away"),
        pytest.param(BusyError("pruned"), None, id="busy is no trouble"),
        pytest.param(MissingError("none"), None, id="none before the first backup"),
    ],
)
def test_a_target_that_can_not_be_measured_keeps_what_is_known(
    folder: Folder, error: Exception, trouble: str | None
) -> None:
    look(folder, 10)

    seen = look(folder, error)

    assert (seen.bytes, seen.trouble) == (10, trouble)


def test_a_repository_that_vanished_is_trouble(folder: Folder) -> None:
    manifest = a_manifest()
    copies = {"local": manifest.copies["sftp"]}
    folder.save(manifest.model_copy(update={"copies": copies}))

    assert look(folder, MissingError("there is none")).trouble == "there is none"


def look_for_copy(folder: Folder, *has: str) -> str | None:
    """Return the trouble of a target with these snapshots, where it should have one."""
    copies = {"local": a_manifest().copies["sftp"]}
    folder.save(a_manifest().model_copy(update={"copies": copies}))
    repository = FakeRepository(folder, 10)
    repository.has = list(has)
    return targets.look(folder, [repository], NOON)[0].trouble


def test_a_backup_that_is_not_there_any_more_is_trouble(folder: Folder) -> None:
    assert look_for_copy(folder, "5nap5h0t") is None
    assert f"1 backups are not there any more: {a_manifest().id}" in str(look_for_copy(folder))


def test_while_a_run_lets_old_ones_go_none_is_called_lost(folder: Folder) -> None:
    with folder.claimed():
        assert look_for_copy(folder) is None


def seen(**given: object) -> Seen:
    values = {"name": "local", "location": "/x", "off_site": False, "seen_at": NOON, **given}
    return Seen.model_validate(values)


@pytest.mark.parametrize(
    ("given", "full"),
    [
        pytest.param({"bytes": 89}, False, id="room enough"),
        pytest.param({"bytes": 90}, True, id="nearly full"),
        pytest.param({"bytes": 50, "sizes": sizes(10, 30, 50)}, True, id="full within days"),
        pytest.param({"bytes": 12, "sizes": sizes(10, 11, 12)}, False, id="full in months"),
        pytest.param({}, False, id="not known"),
    ],
)
def test_a_target_that_fills_is_a_problem(given: dict[str, object], full: bool) -> None:
    found = problems.of_targets([seen(**given)], 100)

    assert (found["limit-local"] is not None) is full
    assert found["target-local"] is None


def test_a_backup_that_is_not_where_it_should_be_after_an_hour_is_a_problem() -> None:
    at_sftp = a_manifest(NOON)

    late = problems.of_copies([at_sftp], ["sftp", "rest"], NOON + timedelta(minutes=61))
    early = problems.of_copies([at_sftp], ["sftp", "rest"], NOON + timedelta(minutes=59))

    assert f"the backup {at_sftp.id} is not at rest" in str(late["copy-rest"])
    assert late["copy-sftp"] is None
    assert early == {"copy-sftp": None, "copy-rest": None}


def test_what_is_watched_tells_of_copies_that_fail(folder: Folder) -> None:
    folder.save(a_manifest(NOON))  # at sftp
    look(folder, 10)  # local is in use

    found = watching.found(some_settings(), folder, NOON + timedelta(hours=2))

    assert "is not at local" in str(found["copy-local"])
    assert watching.gone(["copy-sftp", "copy-local"], found) == {"copy-sftp": None}


def a_base(days_old: float, *targets: str) -> Base:
    at = NOON - days_old * DAY
    return Base(
        id=id_of(at),
        started_at=at,
        consistent_at=at,
        system_id="1",
        stretch="1",
        first_segment="000000010000000000000001",
        bytes=1,
        bytes_stored=1,
        steps={},
        copies={name: Copy(snapshot=f"at-{name}", stored_at=at) for name in targets},
    )


@pytest.mark.parametrize(
    ("bases", "told"),
    [
        pytest.param([a_base(2, "sftp")], None, id="two days are in time"),
        pytest.param(
            [a_base(2.1, "sftp"), a_base(0, "local")],
            "the newest base backup at sftp is 20261120-093600",
            id="later ones went elsewhere",
        ),
        pytest.param([a_base(2.1, "sftp")], "the newest base backup at sftp", id="none came"),
        pytest.param(
            [a_base(3, "sftp"), a_base(-4000, "sftp")], "at sftp is 20261119", id="one to come"
        ),
        pytest.param([a_base(0, "local")], "no base backup is at sftp", id="it never had one"),
        pytest.param([], None, id="nowhere is one yet"),
    ],
)
def test_a_target_that_gets_no_base_backups_is_a_problem(
    bases: list[Base], told: str | None
) -> None:
    found = problems.of_bases(bases, [seen(name="sftp", sizes=sizes(1, 1, 1))], NOON)

    assert found.keys() == {"base-sftp"}
    assert (told or "None") in str(found["base-sftp"])


def test_a_target_that_is_new_has_time_to_get_its_first_base_backup() -> None:
    new = [seen(name="sftp", sizes=sizes(1, 1)), seen(name="rest")]

    found = problems.of_bases([a_base(0, "local")], new, NOON)

    assert found == {"base-sftp": None, "base-rest": None}


def test_base_backups_are_watched_where_point_in_time_is_on(folder: Folder) -> None:
    look(folder, 10)
    folder.save(a_base(3, "local"))

    on = watching.found(some_settings(backup_point_in_time=True), folder, NOON)
    off = watching.found(some_settings(backup_point_in_time=False), folder, NOON)

    assert "at local is 20261119-120000" in str(on["base-local"])
    assert off["base-local"] is None
    assert watching.gone(["base-sftp"], on) == {"base-sftp": None}


def test_log_that_is_late_at_a_target_is_named() -> None:
    until = {"local": NOON, "sftp": NOON - timedelta(minutes=11)}

    assert "sftp (11 minutes behind)" in str(problems.of_log(until, NOON))
    assert problems.of_log({"local": NOON}, NOON) is None


def read(folder: Folder, answer: int | Exception = 1, day: int = 0) -> Drill:
    repository = FakeRepository(folder, answer)
    return drills.read_anew(repository, folder, lambda: NOON + day * DAY)


def test_seven_drills_read_all_of_a_repository(folder: Folder) -> None:
    parts = [read(folder, day=day).part for day in range(8)]

    assert parts == [1, 2, 3, 4, 5, 6, 7, 1]


def test_a_part_that_is_damaged_is_read_again_and_told(folder: Folder) -> None:
    read(folder, DamagedError("a pack is not what was written"))

    assert "a pack is not what was written" in str(trouble(folder))
    assert read(folder, day=1).part == 1
    assert trouble(folder) is None


def trouble(folder: Folder) -> str | None:
    return drills.trouble(drills.known(folder), {"local"}, instants=True)


@pytest.mark.parametrize(
    ("failed", "instants", "told"),
    [
        pytest.param(("read", "local"), True, True, id="in use"),
        pytest.param(("read", "gone"), True, False, id="the target is gone"),
        pytest.param(("instant", "gone"), True, False, id="an instant from there"),
        pytest.param(("instant", "local"), True, True, id="an instant"),
        pytest.param(("instant", "local"), False, False, id="no instants any more"),
    ],
)
def test_a_failed_drill_is_told_as_long_as_it_could_be_repeated(
    failed: tuple[str, str], instants: bool, told: bool
) -> None:
    one = a_drill(*failed, NOON).model_copy(update={"passed": False, "detail": "damaged"})

    assert (drills.trouble([one], {"local"}, instants=instants) is not None) is told


def test_a_drill_that_has_to_wait_was_none(folder: Folder) -> None:
    with pytest.raises(BusyError):
        read(folder, BusyError("pruned"))

    assert drills.known(folder) == []


def a_drill(kind: str, target: str, at: datetime) -> Drill:
    times = {"started_at": at, "finished_at": at}
    values = {"id": f"{at}-{kind}-{target}", "kind": kind, "target": target, **times}
    return Drill.model_validate({**values, "passed": True, "detail": ""})


@pytest.mark.parametrize(
    ("made", "began"),
    [
        pytest.param([], None, id="none yet"),
        pytest.param([("read", "local", 0), ("read", "local", 7)], 7, id="the last one"),
        pytest.param([("instant", "sftp", 0), ("instant", "local", 7)], 7, id="from anywhere"),
        pytest.param([("instant", "local", 0), ("read", "local", 7)], 0, id="one had to wait"),
        pytest.param([("read", "gone", 0), ("read", "local", 7)], 7, id="a target is gone"),
    ],
)
def test_the_oldest_of_the_last_drills_says_when_they_are_due(
    made: list[tuple[str, str, int]], began: int | None
) -> None:
    some = [a_drill(kind, target, NOON + day * DAY) for kind, target, day in made]

    assert drills.began(some, {"local"}) == (None if began is None else NOON + began * DAY)


def test_an_instant_that_can_not_be_restored_is_a_failed_drill(folder: Folder) -> None:
    @contextmanager
    def recovered() -> Iterator[URL]:
        raise DamagedError("the log has a gap")
        yield URL.create("postgresql")

    made = drills.restore_instant("local", NOON, recovered, folder, lambda: NOON, "keelson")

    assert (made.passed, made.detail) == (False, "the log has a gap")
    assert drills.known(folder) == [made]


def test_a_random_instant_is_one_that_can_be_restored() -> None:
    first, second = (NOON, NOON + DAY), (NOON + 5 * DAY, NOON + 6 * DAY)

    for _ in range(100):
        chosen = drills.random_instant({"local": [first, second]})
        assert chosen is not None
        assert chosen[0] == "local"
        assert any(start <= chosen[1] <= until for start, until in (first, second))
    assert drills.random_instant({}) is None


def ended(folder: Folder, raised: BaseException | None, *, something: bool = True) -> list[str]:
    """Return the paths that a run which ends so has pinged, and the names of the alerts after it."""
    alerts = Alerts(folder, [], lambda: datetime.now(UTC))
    with running_sink() as sink:
        settings = some_settings(backup_ping_url=sink.address)
        try:
            with outcome.told(settings, alerts) as came_to_something:
                if raised:
                    raise raised
                if something:
                    came_to_something()
        except (BackupError, Interrupted, ZeroDivisionError):
            pass
        return [path for _, path, _ in sink.asked] + [problem.name for problem in alerts.open()]


def test_a_run_is_told_as_it_ends(folder: Folder) -> None:
    assert ended(folder, BackupError("no room")) == ["/s3cret/fail?q=1", "backup-failed"]
    assert ended(folder, None, something=False) == ["backup-failed"]
    assert ended(folder, BusyError("later")) == ["backup-failed"]
    assert ended(folder, None) == ["/s3cret?q=1"]
    assert ended(folder, Interrupted()) == []


def test_a_run_that_fails_as_nobody_foresaw_is_told_logged_and_raised(folder: Folder) -> None:
    alerts = Alerts(folder, [], lambda: NOON)

    with (
        capture_logs() as logs,
        pytest.raises(ZeroDivisionError),
        outcome.told(some_settings(), alerts),
    ):
        raise ZeroDivisionError("of s3cret")

    (problem,) = alerts.open()
    assert (problem.name, "(ZeroDivisionError)" in problem.reason) == ("backup-failed", True)
    assert "s3cret" not in problem.reason
    assert [line["event"] for line in logs if line.get("exc_info")] == [
        "a run failed as nobody foresaw"
    ]
    assert ended(folder, ZeroDivisionError()) == ["/s3cret/fail?q=1", "backup-failed"]


def test_a_query_stays_behind_the_path_of_a_failure() -> None:
    assert channels.failed("https://host/a/?x=1") == "https://host/a/fail?x=1"
