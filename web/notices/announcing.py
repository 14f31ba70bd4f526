"""The mail that tells subscribers of a notice, and of how it goes on."""

from datetime import datetime

from flask import current_app, url_for
from flask_mail import Message
from sqlalchemy import select
from sqlalchemy.orm import Session

from common.schema import outbox
from web.mail import mail
from web.mail.kinds import NOTICE
from web.models import Notice, NoticeUpdate
from web.notices import subscriptions
from web.notices.states import PLANNED, RESOLVED, STATES, UNDER_WAY

BEGINS = {
    "investigating": "Incident",
    PLANNED: "Planned",
    UNDER_WAY: "Under way",
    RESOLVED: "Resolved",
}
GOES_ON = "Update"


def announce(session: Session, notice: Notice, update: NoticeUpdate, now: datetime) -> int:
    """Queue the mail for each subscriber, and return for how many; a second time for nobody.

    The update keeps which mail it was; none, where nobody gets it. The caller commits.
    """
    session.flush()  # the update gets its number
    key = f"notice update {update.id}"
    mails = mail.queue_each(
        session,
        message(notice, update),
        NOTICE,
        subscriptions.readers(session),
        now=now,
        dedupe_key=key,
    )
    mine = (outbox.c.dedupe_key == key) & (outbox.c.state == "queued")
    update.body_id = session.scalar(select(outbox.c.body_id).where(mine).limit(1))
    return mails


def message(notice: Notice, update: NoticeUpdate) -> Message:
    """Return the mail as every subscriber gets it."""
    return mail.write(
        NOTICE,
        f"{BEGINS.get(update.state, GOES_ON)}: {notice.title}",
        text=f"{facts(notice, update)}\n\n{update.words}",
        link=current_app.config["BASE_URL"] + url_for("notices.show", notice_id=notice.id),
        host=current_app.config["HOST"],
    )


def facts(notice: Notice, update: NoticeUpdate) -> str:
    """Return what is said before the words: how it stands, what it concerns, and its hours."""
    lines = [f"{STATES[update.state]}."]
    if notice.parts:
        lines.append(f"Concerns: {', '.join(notice.parts)}.")
    if notice.begins_at and notice.ends_at:
        lines.append(f"Hours: {in_words(notice.begins_at)} to {in_words(notice.ends_at)}.")
    return "\n".join(lines)


def in_words(at: datetime) -> str:
    """Return an instant as people read it."""
    return f"{at:%-d %b %Y, %H:%M} UTC"
