"""How often an address may ask."""

import logging
import time
from typing import Any

import structlog
from flask import Flask, current_app, request
from flask_limiter import Limiter, RequestLimit
from flask_limiter.util import get_remote_address

from web.settings import Settings
from web.values import IN_MEMORY

SUBSCRIBE = "10 per hour"
UNSUBSCRIBE = "30 per hour"

log = structlog.get_logger(__name__)


def site_limits() -> str:
    """Return the limits on all of the site together, as this application is configured."""
    limits: str = current_app.config["SITE_LIMITS"]
    return limits


def log_breach(breached: RequestLimit) -> None:
    """Log which limit was reached, where and by whom."""
    log.warning(
        "rate limit exceeded",
        limit=str(breached.limit),
        route=request.endpoint,
        address=request.remote_addr,
    )


# Application limits, as Flask-Limiter's default limits would count each page apart; and a moving
# window, as a fixed one lets twice the number through around its edge.
limiter = Limiter(
    get_remote_address,
    application_limits=[site_limits],
    strategy="moving-window",
    on_breach=log_breach,
)
limiter.logger.setLevel(logging.WARNING)  # it would log each breach a second time, with less in it


def config(settings: Settings) -> dict[str, Any]:
    """Return the configuration of the limits."""
    return {
        "RATELIMIT_ENABLED": settings.ratelimit_enabled,
        "RATELIMIT_STORAGE_URI": settings.limit_store.get_secret_value()
        if settings.limit_store
        else IN_MEMORY,
        "SITE_LIMITS": settings.ratelimit_default,
    }


def init_app(app: Flask) -> None:
    """Apply the limits to this application."""
    limiter.init_app(app)


def seconds_to_wait() -> int:
    """Return after how many seconds the limit that this request met lets the next one through."""
    met = limiter.current_limit
    return max(1, round(met.reset_at - time.time())) if met else 1
