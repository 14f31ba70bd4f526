"""The development inbox: mail as it will be, or was, delivered. Production has none."""

from email import message_from_bytes, policy

from flask import Blueprint, abort, render_template
from sqlalchemy import select

from common.schema import mail_bodies, outbox
from web.extensions import db
from web.limits.limiter import limiter

SHOWN = 100

bp = Blueprint("inbox", __name__, url_prefix="/dev/inbox")
limiter.exempt(bp)


@bp.get("")
def index() -> str:
    """List the newest mail, whatever became of it."""
    columns = outbox.c
    statement = select(
        columns.id, columns.state, columns.recipient, columns.subject, columns.created_at
    )
    mails = db.session.execute(statement.order_by(columns.id.desc()).limit(SHOWN)).all()
    return render_template("inbox/inbox.html", mails=mails)


@bp.get("/<int:mail_id>")
def show(mail_id: int) -> str:
    """Show one mail's text, with its links to click on."""
    whole = select(outbox, mail_bodies.c.content).outerjoin(mail_bodies)
    mail = db.session.execute(whole.where(outbox.c.id == mail_id)).one_or_none()
    if mail is None:
        abort(404)
    return render_template(
        "inbox/inbox_mail.html", mail=mail, **read(mail.head + (mail.content or b""))
    )


def read(raw: bytes) -> dict[str, object]:
    """Return the headers and the plain text of a mail."""
    message = message_from_bytes(raw, policy=policy.default)
    text = message.get_body(("plain",))
    return {"headers": message.items(), "text": text.get_content() if text else ""}
