"""How often one may ask: Flask-Limiter, told by our settings."""

import logging
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter

from web.api.cors import API
from web.limits import breaches, headers, memory, shared, site, who
from web.settings import Settings
from web.values import IN_MEMORY

UNSUBSCRIBE = "30 per hour"

# Application limits, as Flask-Limiter's default limits would count each page apart; and a moving
# window, as a fixed one lets twice the number through around its edge.
limiter = Limiter(
    who.client,
    application_limits=[site.SiteLimit("")],
    strategy="moving-window",
    on_breach=breaches.note,
    request_identifier=site.route,
)
limiter.logger.setLevel(logging.WARNING)  # it would log each breach a second time, with less in it


@limiter.request_filter
def is_preflight() -> bool:
    """Return whether a browser asks on its own, before a script may ask; of the real API only."""
    return (
        request.method == "OPTIONS"
        and request.path.startswith(API)
        and request.endpoint is not None
        and "Origin" in request.headers
        and "Access-Control-Request-Method" in request.headers
    )


def count_page(app: Flask, client: str) -> bool:
    """Count a page that an anonymous client reads, as Flask-Limiter does; False is one too many."""
    if not limiter.enabled:
        return True
    limits = sorted(site.anonymous(app), key=lambda each: each.limit)
    return all(limiter.limiter.hit(each.limit, client, each.scope_for("", None)) for each in limits)


def has_limits_of_its_own(app: Flask, blueprint: str) -> bool:
    """Return whether a blueprint is limited as a whole."""
    return any(limiter.limit_manager.blueprint_limits(app, blueprint))


def config(settings: Settings) -> dict[str, Any]:
    """Return the configuration of the limits."""
    return {
        "RATELIMIT_ENABLED": settings.ratelimit_enabled,
        "RATELIMIT_STORAGE_URI": store(settings),
    }


def store(settings: Settings) -> str:
    """Return where requests are counted, under the name of our own class for it."""
    uri = settings.limit_store.get_secret_value() if settings.limit_store else IN_MEMORY
    return f"{memory.SCHEME}://" if uri == IN_MEMORY else shared.PREFIX + uri


def init_app(app: Flask, settings: Settings) -> None:
    """Apply the limits to this application."""
    site.init_app(app, settings)
    limiter.init_app(app)
    headers.init_app(app, limiter)
