"""The log's files: names, gaps, sizes, timelines."""

import pytest

from backup.stream import segments
from backup.stream.segments import SIZE

PARTIAL = "000000010000000000000004.partial"


def name(number: int, timeline: int = 1) -> str:
    return str(segments.Segment(number, timeline))


def whole(*numbers: int) -> dict[str, int]:
    return {name(number): SIZE for number in numbers}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(1, "000000010000000000000001", id="the first of a cluster"),
        pytest.param(255, "0000000100000000000000FF", id="the last of 4 GiB"),
        pytest.param(256, "000000010000000100000000", id="the first of the next 4 GiB"),
    ],
)
def test_names_are_those_of_postgresql(number: int, expected: str) -> None:
    assert name(number) == expected
    assert segments.number_of(expected) == number


@pytest.mark.parametrize("other", ["00000002.history", "backup_label", "00000001000000000000000"])
def test_other_files_are_no_segments(other: str) -> None:
    assert segments.parse(other) is None


def test_a_position_at_a_border_belongs_to_the_segment_before_it_and_begins_the_next() -> None:
    assert segments.holding("1/2000000") == 258
    assert segments.holding_before("1/2000000") == 257


@pytest.mark.parametrize(
    ("sizes", "first", "last", "expected"),
    [
        pytest.param(whole(1, 2, 3) | {PARTIAL: SIZE}, 1, 4, [], id="whole"),
        pytest.param(whole(1, 2, 3), 1, 3, [], id="at a border nothing is partial"),
        pytest.param(whole(2, 3), None, 3, [], id="without a base it may begin anywhere"),
        pytest.param(whole(1, 3), 1, 3, [f"{name(2)} is missing"], id="a hole"),
        pytest.param(whole(2, 3), 1, 3, [f"{name(1)} is missing"], id="what the base needs"),
        pytest.param(whole(1, 2), 1, 3, [f"{name(3)} is missing"], id="the newest"),
        pytest.param({}, 3, 3, [f"{name(3)} is missing"], id="all of it"),
        pytest.param(
            whole(1) | {name(2): 1},
            1,
            2,
            [f"{name(2)} has 1 bytes instead of {SIZE}"],
            id="truncated",
        ),
        pytest.param(
            whole(1, 5) | {PARTIAL: SIZE} | whole(2, 3),
            1,
            5,
            [f"{name(4)} is missing"],
            id="only the newest may be partial",
        ),
        pytest.param(
            whole(1, 2) | {"000000010000000000000003.partial": SIZE, name(3, 2): SIZE},
            1,
            3,
            [],
            id="a new timeline has the segment whole that the old one left partial",
        ),
    ],
)
def test_what_is_wrong_with_the_log_is_told(
    sizes: dict[str, int], first: int | None, last: int, expected: list[str]
) -> None:
    assert segments.flaws(sizes, first, last) == expected


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param({}, None, id="nothing is there"),
        pytest.param(whole(1, 2), 3, id="after the last whole one"),
        pytest.param(whole(1, 2, 3) | {PARTIAL: SIZE}, 4, id="a partial one again"),
    ],
)
def test_receiving_goes_on_where_the_log_ends(sizes: dict[str, int], expected: int | None) -> None:
    assert segments.next_wanted(sizes) == expected
