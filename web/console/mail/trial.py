"""A mail past the queue, to see whether mail arrives."""

from flask import current_app

from web.mail.headers import split


def arguments(email: str) -> dict[str, str]:
    """Return what the mailer needs to know: from whom, as all our mail, and to whom."""
    return {"to": email, "sender": split("From", current_app.config["MAIL_DEFAULT_SENDER"])[1]}
