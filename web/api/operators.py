"""What of the API is for operators alone: for others it is not there."""

from apiflask import abort
from flask import request

from web.api.blueprint import somebody
from web.models import OPERATOR


def require_operator() -> None:
    """Answer 401 to nobody and 404 to who is no operator, before anything else is looked at."""
    if request.method != "OPTIONS" and somebody().role != OPERATOR:  # browsers ask that as nobody
        abort(404)
