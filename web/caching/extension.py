"""The cache of an application."""

from flask import Flask, current_app

from web.caching import backends
from web.caching.keeper import Keeper
from web.caching.store import Store
from web.extensions import cache
from web.settings import Settings

NAME = "cache_keeper"

config = backends.config


def init_app(app: Flask, settings: Settings) -> None:
    """Keep the answers of this application where its settings say."""
    cache.init_app(app)
    store = Store(app.extensions["cache"][cache], settings.app_env)
    app.extensions[NAME] = Keeper(store, settings.cache_default_timeout)


def keeper() -> Keeper:
    """Return the keeper of the current application."""
    return keeper_of(current_app)


def keeper_of(app: Flask) -> Keeper:
    """Return the keeper of this application."""
    found: Keeper = app.extensions[NAME]
    return found
