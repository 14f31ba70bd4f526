"""Files for spreadsheets, in which nothing is a formula."""

import csv

import pytest

from web.console.spreadsheet import lines


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_cell_that_begins_like_a_formula_is_text(begin: str) -> None:
    cell = f"{begin}HYPERLINK(1)"

    (row,) = csv.reader(lines([["a", cell]]))

    assert row == ["a", f"'{cell}"]


def test_other_cells_are_as_they_were() -> None:
    rows = [["a=b", 'say "no"', "two\nlines", "", "ä,ö", 5]]

    assert list(csv.reader(lines(rows))) == [["a=b", 'say "no"', "two\nlines", "", "ä,ö", "5"]]


def test_rows_are_written_as_they_are_read() -> None:
    written = lines([["a"], ["b"]])

    assert next(written) == "a\r\n"
    assert next(written) == "b\r\n"
