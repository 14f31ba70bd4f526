"""A table as a file for spreadsheets, in which no cell is taken for a formula. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield each row as a line of CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([harmless(str(cell)) for cell in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def harmless(cell: str) -> str:
    """Return the cell as text: a spreadsheet would run what begins like a formula, whoever wrote it."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
