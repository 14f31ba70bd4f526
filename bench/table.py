"""The table that is printed."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what it is of, the figure, its unit, and what it is meant to be."""

    what: str
    figure: str
    unit: str
    aim: str = ""


def print_table(rows: Iterable[Row]) -> None:
    """Print each row as soon as it is known."""
    print("| mail | figure | unit | aim |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row.what} | {row.figure} | {row.unit} | {row.aim} |", flush=True)
