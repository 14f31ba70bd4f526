"""Who is refused now, by which rule, until when; and an end to that."""

from datetime import UTC, datetime

from flask import Flask, current_app
from limits import RateLimitItem, parse_many

from web.limits import memory, site
from web.limits.limiter import UNSUBSCRIBE, limiter
from web.limits.tight import LIMITS

OF_ROUTES = {"unsubscribe.ask": UNSUBSCRIBE, "unsubscribe.leave": UNSUBSCRIBE}


def limits_of(app: Flask, rule: str) -> list[RateLimitItem]:
    """Return the limits of a rule; none where there is no such rule."""
    of_site = [each.limit for each in site.groups_of(app).all() if each.scope == rule]
    written = {**LIMITS, **OF_ROUTES}.get(rule)
    return of_site or (parse_many(written) if written else [])


def until(rule: str, who: str) -> datetime | None:
    """Return when they are let through again, or None where they are now; changes nothing."""
    if not limiter.enabled:
        return None
    counted = limiter.limiter
    ends = [
        counted.get_window_stats(limit, who, rule).reset_time
        for limit in limits_of(current_app, rule)
        if not counted.test(limit, who, rule)
    ]
    return datetime.fromtimestamp(max(ends), UTC) if ends else None


def clear(rule: str, who: str) -> bool:
    """Forget what was counted of them under this rule; return whether they are let through now."""
    if limiter.enabled:
        for limit in limits_of(current_app, rule):
            limiter.limiter.clear(limit, who, rule)
    return until(rule, who) is None


def is_of_one_process() -> bool:
    """Return whether each process counts by itself, so that only this one's counts can be cleared."""
    return str(current_app.config["RATELIMIT_STORAGE_URI"]).startswith(memory.SCHEME)
