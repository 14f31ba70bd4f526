"""Mail, finished here and handed to the outbox; the mailer sends it."""

from datetime import datetime
from email.utils import make_msgid, parseaddr

from flask import current_app, g, render_template
from flask_mail import Message
from sqlalchemy.orm import Session

from common.outbox import enqueue

NO_ANSWERS_PLEASE = {"Auto-Submitted": "auto-generated"}  # RFC 3834: keeps holiday notices away


def queue(
    session: Session,
    *,
    kind: str,
    recipient: str,
    subject: str,
    now: datetime,
    **context: object,
) -> None:
    """Queue one mail, of the templates mail/<kind>.txt and .html, in the caller's transaction."""
    message = compose(kind, recipient, subject, now, context)
    enqueue(
        session,
        kind=kind,
        sender=parseaddr(current_app.config["MAIL_DEFAULT_SENDER"])[1],
        recipient=recipient,
        subject=subject,
        message_id=message.msgId,
        raw=message.as_bytes(),  # once: every try sends the same boundary, date and id
        request_id=g.get("request_id"),
    )


def compose(
    kind: str, recipient: str, subject: str, now: datetime, context: dict[str, object]
) -> Message:
    """Return the mail with all that makes it this one mail, its date and its id."""
    message = Message(
        subject,
        recipients=[recipient],
        body=render_template(f"mail/{kind}.txt", **context),
        html=render_template(f"mail/{kind}.html", subject=subject, **context),
        date=now.timestamp(),
        extra_headers=NO_ANSWERS_PLEASE,
    )
    # Flask-Mail takes the container's name, which tells nobody anything.
    message.msgId = make_msgid(domain=current_app.config["HOST"])
    return message
