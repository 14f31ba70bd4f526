"""Who may become a member: REGISTRATION says it."""

from flask import current_app

from web.accounts.tokens import Purpose


class NotOpenError(Exception):
    """Nobody can sign up in this way just now."""


def mode() -> str:
    """Return it: open, invite or closed."""
    chosen: str = current_app.config["REGISTRATION"]
    return chosen


def require_open(purpose: Purpose) -> None:
    """Raise NotOpenError unless one may sign up in this way: unasked, or invited."""
    if mode() != "open" and (mode(), purpose) != ("invite", Purpose.INVITE):
        raise NotOpenError
