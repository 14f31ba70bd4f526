"""The mail about accounts, queued in the transaction of what it tells."""

from datetime import datetime, timedelta
from typing import Any

from flask import current_app, url_for

from web.extensions import db
from web.mail import mail
from web.mail.kinds import Kind


def send(kind: Kind, subject: str, to: str, now: datetime, **context: object) -> None:
    """Queue one; the subject may name the {host}, and the texts what is in `context`."""
    host = current_app.config["HOST"]
    lifetime = in_words(kind.lifetime) if kind.lifetime else None
    message = mail.write(
        kind, subject.format(host=host), to, host=host, lifetime=lifetime, **context
    )
    mail.queue(db.session(), message, kind, now=now)


def address_of(endpoint: str, **values: Any) -> str:
    """Return the whole address of a page."""
    base: str = current_app.config["BASE_URL"]
    return base + url_for(endpoint, **values)


def in_words(lifetime: timedelta) -> str:
    """Return, say, "7 days", "24 hours" or "1 hour"."""
    hours = int(lifetime.total_seconds() // 3600)
    number, unit = (lifetime.days, "day") if lifetime.days > 1 else (hours, "hour")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
