"""Long lists, a page at a time: by the last id that was seen, so that nothing is skipped or shown twice."""

import re
from typing import Any

from apiflask import Schema
from apiflask.fields import Integer
from apiflask.validators import Range
from flask import current_app, request, url_for
from typing_extensions import override

from web.exchange.numbers import LARGEST

MOST = 100
USUAL = 20
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)


class Digits(Integer):
    """An integer of a query: digits and nothing else, where Python would take ` 1_0` and `٣` too."""

    @override
    def _validated(self, value: Any) -> int:
        if not _DIGITS.fullmatch(str(value)):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class PageQuery(Schema):
    """Which page of a list."""

    limit = Digits(
        load_default=USUAL,
        validate=Range(min=1, max=MOST),
        metadata={"description": "how many at most", "example": USUAL},
    )
    before = Digits(
        validate=Range(min=1, max=LARGEST),
        metadata={"description": "only those after this one: the last id of the page before"},
    )


def link_to(**query: Any) -> str:
    """Return where the next page of this list is."""
    return f"{current_app.config['BASE_URL']}{url_for(request.endpoint or '', **query)}"
