"""Lists in pages, the newest first; a page begins where the last one ended."""

from collections.abc import Sequence
from typing import Any

from flask import request

from web.exchange.numbers import LARGEST

SHOWN = 20
ASKED = SHOWN + 1  # one more tells that there are older ones


def before() -> int | None:
    """Return the last id of the page before this one; None for the first page, and for what is no id."""
    found = request.args.get("before", type=int)
    return found if found is not None and 0 < found <= LARGEST else None


def page(found: Sequence[Any]) -> dict[str, Any]:
    """Return what a template shows: the rows, and where the next page begins, if there is one."""
    older = found[SHOWN - 1].id if len(found) > SHOWN else None
    return {"rows": found[:SHOWN], "older": older}
