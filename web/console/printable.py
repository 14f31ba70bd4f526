"""What was typed, as PostgreSQL takes it. Pure."""

from typing import Any


def printable(value: Any) -> Any:
    """Return a text without what no database can hold: half a character, or the one of number 0."""
    if not isinstance(value, str):
        return value
    return value.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
