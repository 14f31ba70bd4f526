from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import ROOT
from web.console.backups import commands, overview, words
from web.console.backups.facts import Target
from web.console.backups.schema import with_former

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def a_target(**given: object) -> Target:
    complete: dict[str, object] = {
        "name": "local",
        "location": "local",
        "off_site": False,
        "seen_at": NOON,
        "trouble": None,
        "bytes": 900,
        "bytes_limit": 1000,
        "recoverable_from": None,
        "recoverable_until": None,
        "per_day": 20.0,
        **given,
    }
    return Target(**complete)  # type: ignore[arg-type] # each is as the fields say


@pytest.mark.parametrize(
    ("given", "days"),
    [
        pytest.param({}, 5.0, id="at its pace"),
        pytest.param({"per_day": None}, None, id="too young to tell"),
        pytest.param({"per_day": -1.0}, None, id="it shrinks"),
        pytest.param({"bytes_limit": None}, None, id="no limit"),
        pytest.param({"bytes": 2000}, 0.0, id="beyond it"),
    ],
)
def test_a_target_is_full_by_its_trend(given: dict[str, object], days: float | None) -> None:
    assert a_target(**given).days_left == days


@pytest.mark.parametrize(
    ("beat_at", "trouble", "proven", "said"),
    [
        pytest.param(None, None, None, "never been seen", id="no worker"),
        pytest.param(NOON - timedelta(hours=1), None, "x", "not at work", id="it has gone"),
        pytest.param(NOON, "the slot is lost", "x", "the slot is lost", id="its own words"),
        pytest.param(NOON, None, None, "no backup was ever proven", id="none yet"),
    ],
)
def test_what_is_wrong_is_said(
    beat_at: datetime | None, trouble: str | None, proven: str | None, said: str
) -> None:
    assert said in str(overview.wrong(beat_at, trouble, proven, NOON))


def test_nothing_is_wrong_where_all_is_well() -> None:
    assert overview.wrong(NOON, None, "20261122-030000", NOON) is None


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("latest", "latest"),
        ("20261122-030000", "20261122-030000"),
        ("2026-11-22 14:03:00Z", "2026-11-22T14:03:00Z"),
        ("2026-11-22T15:03:00+01:00", "2026-11-22T14:03:00Z"),
        ("2026-11-22 14:03", "2026-11-22T14:03:00Z"),
        ("2026-11-22", None),
        ("yesterday", None),
        ("latest; rm -rf /", None),
        ("20261122-030000'", None),
        ("٢٠٢٦١١٢٢-٠٣٠٠٠٠", None),
    ],
)
def test_a_moment_is_written_as_make_takes_it(given: str, moment: str | None) -> None:
    assert words.moment(given) == moment


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.42, "0.4 s"), (59, "59 s"), (720, "12 min"), (10_800, "3 h")]
)
def test_times_are_said_in_words(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


def test_steps_are_shown_as_they_follow_each_other() -> None:
    steps = {"dump": 1.0, "store:s3": 4.0, "compare": 3.0, "restore": 2.0}

    assert list(words.in_order(steps)) == ["dump", "restore", "compare", "store:s3"]


def test_every_command_is_one_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for command in commands.of_moment("20261122-030000"):
        target = command.line.split()[1]
        assert command.line.startswith("make ")
        assert f"\n{target}: " in makefile


def test_each_change_knows_the_one_before_it() -> None:
    told = with_former([{"commit": "c"}, {"commit": "b"}, {"commit": "a"}])

    assert [(one["commit"], one["former"]) for one in told] == [
        ("c", "b"),
        ("b", "a"),
        ("a", None),
    ]
