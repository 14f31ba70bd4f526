"""The limits on all of the site together; which of them a request meets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import Flask, current_app, request
from flask_limiter import ApplicationLimit
from flask_limiter._limits import RuntimeLimit  # the type that an ApplicationLimit iterates over
from limits import parse_many
from typing_extensions import override

from web.limits import who
from web.settings import Settings

FILES = {"static", "favicon"}  # endpoints
MACHINES = {"health", "metrics"}  # blueprints
UNKNOWN = "unknown"  # where an address without a page counts
LIMIT_OF_FILES = "1200 per minute"  # a page links a few, and browsers keep them
LIMIT_OF_MACHINES = "600 per minute"

EXTENSION = "site_limits"


class PreparedLimit(RuntimeLimit):
    """A limit of one application, compared by what it is: the library compares field by field."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__


class SiteLimit(ApplicationLimit):
    """The limits that the request at hand meets, read once and not in each request."""

    @override
    def __iter__(self) -> Iterator[RuntimeLimit]:
        """Yield them."""
        groups: Groups = current_app.extensions[EXTENSION]
        return iter(groups.of_request())


@dataclass(frozen=True, slots=True)
class Groups:
    """The limits by who or what asks; each group is counted by itself, and all its pages together."""

    anonymous: list[RuntimeLimit]
    signed_in: list[RuntimeLimit]
    files: list[RuntimeLimit]
    machines: list[RuntimeLimit]

    def all(self) -> list[RuntimeLimit]:
        """Return those of all groups; the scope of each is its rule."""
        return [*self.anonymous, *self.signed_in, *self.files, *self.machines]

    def of_request(self) -> list[RuntimeLimit]:
        """Return the limits of this request."""
        if request.blueprint in MACHINES:
            return self.machines
        if request.endpoint in FILES:
            return self.files
        return self.anonymous if who.signed_in() is None else self.signed_in


def init_app(app: Flask, settings: Settings) -> None:
    """Read this application's limits."""
    app.extensions[EXTENSION] = Groups(
        anonymous=prepare("site", settings.ratelimit_default, who.client),
        signed_in=prepare("signed-in", settings.ratelimit_signed_in, who.account),
        files=prepare("files", LIMIT_OF_FILES, who.client),
        machines=prepare("machines", LIMIT_OF_MACHINES, who.client),
    )


def anonymous(app: Flask) -> list[RuntimeLimit]:
    """Return what an address without a session may ask of this application's pages."""
    return groups_of(app).anonymous


def groups_of(app: Flask) -> Groups:
    """Return the limits of this application."""
    groups: Groups = app.extensions[EXTENSION]
    return groups


def prepare(rule: str, limits: str, key: Callable[[], str]) -> list[RuntimeLimit]:
    """Return the limits of a rule."""
    return [PreparedLimit(limit, key, scope=rule, shared=True) for limit in parse_many(limits)]


def route() -> str:
    """Return the endpoint of this request, under a name that Flask-Limiter exempts from nothing."""
    endpoint = request.endpoint or UNKNOWN
    return "files" if endpoint in FILES else endpoint
