"""Statements as they may be shown: without the values in them, which are people's, or secret. Pure."""

import re

LONGEST = 400
# A statement that was cut off may end within a value, so the end of the text ends one too.
VALUES = re.compile(
    r"""
    [eE]'(?:[^'\\]|''|\\.|\\\Z)*(?:'|\Z)    # E'...' with backslashes
  | '(?:[^']|'')*(?:'|\Z)                   # '...'
  | \$(\w*)\$.*?(?:\$\1\$|\Z)               # $tag$...$tag$
  | (?<![\w$])\d+(?:\.\d+)?(?!\w)           # numbers
    """,
    re.VERBOSE | re.DOTALL,
)


def without_values(statement: str) -> str:
    """Return the statement on one line, with a ? for each value in it."""
    return " ".join(VALUES.sub("?", statement).split())[:LONGEST]
