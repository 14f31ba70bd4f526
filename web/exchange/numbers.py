"""Whole numbers in addresses: as long as the database can compare them; longer ones are not there."""

from flask import Flask
from werkzeug.routing import IntegerConverter

DIGITS = 18
LARGEST = 10**DIGITS - 1


class Number(IntegerConverter):
    """By its form alone, so that one which is too long is 404 for every method, and never 405."""

    regex = rf"\d{{1,{DIGITS}}}"


def init_app(app: Flask) -> None:
    """Take these for `<int:...>`; before any route is."""
    app.url_map.converters["int"] = Number
