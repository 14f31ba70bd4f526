"""What a client is told of the limits it met: the RateLimit fields of the IETF's draft, Retry-After."""

import math
import time

from flask import Flask, Response, request
from flask_limiter import Limiter, RequestLimit
from limits import RateLimitItem
from werkzeug.exceptions import TooManyRequests

from web.api.cors import API

FIELDS = ("RateLimit", "RateLimit-Policy")


def init_app(app: Flask, limiter: Limiter) -> None:
    """Tell programs with each answer; people, who see no headers, only where they are refused."""

    @app.after_request
    def tell(response: Response) -> Response:
        if request.path.startswith(API) or response.status_code == TooManyRequests.code:
            add(response, limiter.current_limits)
        return response


def add(response: Response, met: list[RequestLimit]) -> None:
    """Tell of the limits that were met, if any."""
    if met:
        response.headers["RateLimit-Policy"] = ", ".join(map(policy, met))
        response.headers["RateLimit"] = ", ".join(map(state, met))


def policy(met: RequestLimit) -> str:
    """Return how many requests the limit lets through, in how many seconds."""
    return f'"{name(met)}";q={met.limit.amount};w={met.limit.get_expiry()}'


def state(met: RequestLimit) -> str:
    """Return how many of them remain, and after how many seconds there is one more."""
    remaining = 0 if met.breached else max(0, met.remaining)
    return f'"{name(met)}";r={remaining};t={seconds_to_wait(met)}'


def name(met: RequestLimit) -> str:
    """Return the rule and its window: a rule may have several."""
    return f"{rule(met)}-{window(met.limit)}"


def rule(met: RequestLimit) -> str:
    """Return the name of the rule, which is what Flask-Limiter calls its scope."""
    return met.request_args[-1]


def window(limit: RateLimitItem) -> str:
    """Return the limit's time as a word."""
    number = f"{limit.multiples}-" if limit.multiples > 1 else ""
    return number + limit.GRANULARITY.name


def seconds_to_wait(met: RequestLimit) -> int:
    """Return after how many seconds the limit lets one more through."""
    return max(1, math.ceil(met.window.reset_time - time.time()))
