"""Plots: round ticks, few points, gaps that stay gaps, and nothing in the page but what was meant."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from tests.web_app import an_app
from web.plots import clock, points
from web.plots.drawing import HEIGHT, Scale
from web.plots.plots import Plot, Series
from web.plots.units import unit_of

START = datetime(2026, 11, 2, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def shown(plot: Plot) -> ET.Element:
    """Return the plot's figure, as a page has it."""
    app = an_app()
    source = "{% from 'plots/plot.html' import plot %}{{ plot(one) }}"
    with app.test_request_context():
        html = app.jinja_env.from_string(source).render(one=plot)
    return ET.fromstring(html)  # noqa: S314 our own page


def each(step: timedelta, *values: float | None) -> list[tuple[datetime, float | None]]:
    """Return these values, one in each step."""
    return [(START + number * step, value) for number, value in enumerate(values)]


def spots(path: str) -> list[str]:
    """Return the points of an SVG's path."""
    return re.findall(r"[ML][^MLh]+", path)


@pytest.mark.parametrize(
    ("unit", "highest", "ticks"),
    [
        pytest.param("mails", 7, ["0", "2", "4", "6", "8"], id="twos"),
        pytest.param("mails", 1, ["0", "1"], id="there is no half mail"),
        pytest.param("mails", 0, ["0", "1"], id="nothing at all"),
        pytest.param("per hour", 40.5, ["0", "20", "40", "60"], id="above the highest"),
        pytest.param("per hour", 1_234_567, ["0", "500,000", "1,000,000", "1,500,000"], id="large"),
        pytest.param("bytes", 3.2e9, ["0 B", "1 GB", "2 GB", "3 GB", "4 GB"], id="sizes"),
        pytest.param("seconds", 0.034, ["0 s", "10 ms", "20 ms", "30 ms", "40 ms"], id="small"),
        pytest.param("seconds", 100.5, ["0 s", "30 s", "1 min", "90 s", "2 min"], id="clock"),
        pytest.param("seconds", 50_000, ["0 s", "6 h", "12 h", "18 h"], id="hours"),
        pytest.param("percent", 99.5, ["0 %", "50 %", "100 %"], id="percent"),
    ],
)
def test_ticks_are_round_in_their_unit(unit: str, highest: float, ticks: list[str]) -> None:
    plot = Plot("One", unit, [Series("a", each(HOUR, 0, highest))])

    assert [tick.label for tick in plot.drawing.ticks] == ticks


@pytest.mark.parametrize("highest", [10.0**power * 1.7 for power in range(-5, 15)])
@pytest.mark.parametrize("unit", ["bytes", "seconds", "mails"])
def test_scale_holds_every_value_and_is_not_mostly_empty(unit: str, highest: float) -> None:
    scale = Scale.over(unit_of(unit), [highest])

    assert highest <= scale.top < highest * 2.5
    assert 2 <= len(scale.ticks(unit_of(unit))) <= 5


@pytest.mark.parametrize(
    ("span", "labels"),
    [
        pytest.param(6 * MINUTE, ["2 Nov", "00:01", "00:02", "00:03", "00:04", "00:05", "00:06"],
                     id="minutes"),
        pytest.param(DAY, ["2 Nov", "06:00", "12:00", "18:00", "3 Nov"], id="hours, and a day at midnight"),
        pytest.param(5 * DAY, ["2 Nov", "3 Nov", "4 Nov", "5 Nov", "6 Nov", "7 Nov"], id="days"),
        pytest.param(28 * DAY, ["2 Nov", "9 Nov", "16 Nov", "23 Nov", "30 Nov"], id="weeks"),
        pytest.param(365 * DAY, ["Jan 2027", "Mar 2027", "May 2027", "Jul 2027", "Sep 2027", "Nov 2027"],
                     id="months"),
    ],
)  # fmt: skip
def test_time_is_marked_at_round_moments(span: timedelta, labels: list[str]) -> None:
    marks = clock.marks(clock.Span(START, START + span))

    assert [label for _, label in marks] == labels


@pytest.mark.parametrize("days", [0.0001, 0.01, 0.3, 1, 3, 10, 40, 119, 121, 365, 1000, 4000])
def test_marks_are_few_whatever_the_range(days: float) -> None:
    marks = clock.marks(clock.Span(START, START + timedelta(days=days)))

    assert 2 <= len(marks) <= 8


@pytest.mark.parametrize("count", [2, 120, 121, 300, 5000, 50_000])
def test_there_are_at_most_300_points_whatever_the_range(count: int) -> None:
    values = [(START + number * MINUTE, float(number % 997)) for number in range(count)]

    drawing = Plot("One", "mails", [Series("a", values)]).drawing

    assert len(spots(drawing.lines[0].path)) <= 300
    assert len(drawing.rows) == len(drawing.hits) <= 120


def test_single_peak_among_thousands_is_still_there() -> None:
    values = each(MINUTE, *([1.0] * 4321), 80.0, *([1.0] * 4321))

    drawing = Plot("One", "mails", [Series("a", values)]).drawing

    assert any(row.values == ["1 mails to 80 mails"] for row in drawing.rows)
    assert f" {HEIGHT * 0:g}L" in drawing.lines[0].path


def test_few_points_are_drawn_as_they_are() -> None:
    drawing = Plot("One", "mails", [Series("a", each(HOUR, 4, 2, 0))]).drawing

    assert drawing.lines[0].path == "M0.0 0L500.0 90L1000.0 180"
    assert [row.values[0] for row in drawing.rows] == ["4 mails", "2 mails", "0 mails"]
    assert drawing.each == ""


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(Series("a", each(HOUR, 4, 4, None, 4, 4)), id="said to be one"),
        pytest.param(
            Series("a", [one for one in each(HOUR, 4, 4, 0, 4, 4) if one[1]], HOUR), id="overdue"
        ),
    ],
)
def test_gap_stays_a_gap(series: Series) -> None:
    drawing = Plot("One", "mails", [series]).drawing

    assert drawing.lines[0].path == "M0.0 0L250.0 0M750.0 0L1000.0 0"
    assert [row.values[0] for row in drawing.rows][2] == "–"  # noqa: RUF001 as the table has it
    assert "not measured" in drawing.hits[2].says
    assert "with 1 gap" in drawing.says


def test_gap_among_thousands_stays_a_gap() -> None:
    values = [*each(MINUTE, *([4.0] * 9000))]
    del values[3000:4000]

    drawing = Plot("One", "mails", [Series("a", values, MINUTE)]).drawing

    assert drawing.lines[0].path.count("M") == 2


def test_what_is_irregular_by_nature_has_no_gaps() -> None:
    values: list[tuple[datetime, float | None]] = [
        (START, 1),
        (START + DAY, 2),
        (START + 9 * DAY, 3),
    ]

    drawing = Plot("One", "mails", [Series("a", values)]).drawing

    assert drawing.lines[0].path.count("M") == 1


def test_point_between_two_gaps_is_a_dot() -> None:
    drawing = Plot("One", "mails", [Series("a", each(HOUR, 4, None, 4, None, 4))]).drawing

    assert drawing.lines[0].path == "M0.0 0h0M500.0 0h0M1000.0 0h0"


def test_limit_is_a_line_that_the_scale_holds() -> None:
    drawing = Plot("One", "bytes", [Series("a", each(HOUR, 4e6, 6e6))], limit=9e6).drawing

    assert drawing.limit
    assert drawing.limit.label == "9 MB"
    assert 0 <= drawing.limit.y < HEIGHT
    assert "The limit is 9 MB." in drawing.says


def test_limit_that_is_far_away_is_said_and_does_not_flatten_the_line() -> None:
    drawing = Plot("One", "bytes", [Series("a", each(HOUR, 4e6, 6e6))], limit=9e9).drawing

    assert (drawing.limit, drawing.far_limit) == (None, "9 GB")
    assert drawing.ticks[-1].label == "6 MB"


def test_image_says_what_it_shows_and_so_does_each_point() -> None:
    plot = Plot(
        "Mail sent",
        "per hour",
        [Series("sent", each(HOUR, 3, 5)), Series("dead", each(HOUR, 0, 1))],
    )

    figure = shown(plot)

    (image,) = [one for one in figure.iter("svg") if one.get("role") == "img"]
    named = {one.get("id"): one.text for one in image if one.get("id")}
    assert image.get("aria-labelledby") == " ".join(named)  # type: ignore[arg-type]  # those with an id
    assert "sent: 3 per hour to 5 per hour, in the end 5 per hour." in str(named)
    hits = [title.text for title in image.iterfind(".//rect/title")]
    assert hits == [
        "2 Nov 2026: sent 3 per hour, dead 0 per hour",
        "2 Nov 2026, 01:00: sent 5 per hour, dead 1 per hour",
    ]


def test_table_has_the_same_numbers_with_headings() -> None:
    plot = Plot(
        "Mail sent",
        "per hour",
        [Series("sent", each(HOUR, 3, None)), Series("dead", each(HOUR, 0, 1))],
    )

    table = shown(plot).find(".//table")

    assert table is not None
    assert [cell.text for cell in table.iterfind("thead//th")] == ["UTC", "sent", "dead"]
    rows = [[cell.text for cell in row] for row in table.iterfind("tbody/tr")]
    assert rows == [
        ["2 Nov 2026", "3 per hour", "0 per hour"],
        ["2 Nov 2026, 01:00", "–", "1 per hour"],  # noqa: RUF001 as the table has it
    ]


def test_text_in_a_plot_cannot_become_markup_or_style() -> None:
    plot = Plot(
        '<script>"&', "<b>", [Series("</svg><i>", each(HOUR, 1, 2)), Series("b", [])], limit=2
    )

    figure = shown(plot)

    tags = {one.tag for one in figure.iter()}
    assert not tags & {"script", "i", "b"}
    assert not any(one.get("style") for one in figure.iter())


@pytest.mark.parametrize(
    "series",
    [[], [Series("a", [])], [Series("a", each(HOUR, None, None))]],
    ids=["no series", "no points", "only gaps"],
)
def test_nothing_measured_is_said_and_not_drawn(series: list[Series]) -> None:
    figure = shown(Plot("One", "mails", series))

    assert "Nothing was measured" in "".join(figure.itertext())
    assert figure.find(".//svg") is None


def test_single_point_is_drawn_in_the_middle() -> None:
    drawing = Plot("One", "mails", [Series("a", each(HOUR, 5))]).drawing

    assert drawing.lines[0].path == "M500.0 30h0"


def test_range_may_be_wider_than_what_was_measured() -> None:
    plot = Plot(
        "One", "mails", [Series("a", each(HOUR, 4, 4))], since=START - HOUR, until=START + 3 * HOUR
    )

    assert plot.drawing.lines[0].path == "M250.0 0L500.0 0"


def test_two_plots_of_the_most_points_leave_room_for_the_page() -> None:
    values = [(START + number * MINUTE, number % 997 * 12345.6) for number in range(120)]
    plot = Plot("One", "bytes", [Series("one", values), Series("two", values)], limit=1e7)

    assert len(ET.tostring(shown(plot))) < 40_000


def test_hits_cover_the_whole_width_once() -> None:
    values = [(START + number * 7 * MINUTE, 1.0) for number in range(1000)]

    hits = Plot("One", "mails", [Series("a", values)]).drawing.hits

    assert hits[0].x == 0
    assert all(abs(one.x + one.width - two.x) < 0.02 for one, two in pairwise(hits))
    assert hits[-1].x + hits[-1].width == pytest.approx(100, abs=0.02)


def test_columns_stay_where_they_are_when_time_goes_on() -> None:
    width = points.width_for([START, *[START + n * MINUTE for n in range(2000)]])

    assert width == 30 * MINUTE
    assert points.column(START + 44 * MINUTE, width) == START + 30 * MINUTE
