"""The statements of the inbox. What lets web read and remove mail is granted in development alone."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, exists, or_, select
from sqlalchemy.orm import Session

from common.schema import mail_bodies, outbox

LISTED = (
    outbox.c.id,
    outbox.c.state,
    outbox.c.recipient,
    outbox.c.subject,
    outbox.c.created_at,
)
FREE = outbox.c.lease_by.is_(None)  # no mailer has it in its hands


def newest(session: Session, search: str, limit: int, before: int | None) -> Sequence[Any]:
    """Return mails, the newest first, of which the recipient or the subject holds what is searched."""
    statement = select(*LISTED).order_by(outbox.c.id.desc()).limit(limit)
    if search:
        holds = (
            column.icontains(search, autoescape=True)
            for column in (outbox.c.recipient, outbox.c.subject)
        )
        statement = statement.where(or_(*holds))
    if before:
        statement = statement.where(outbox.c.id < before)
    return session.execute(statement).all()


def whole(session: Session, mail_id: int) -> Row[Any] | None:
    """Return one with what it says; its content is None once that is no longer kept."""
    statement = select(outbox, mail_bodies.c.content).outerjoin(mail_bodies)
    return session.execute(statement.where(outbox.c.id == mail_id)).one_or_none()


def remove(session: Session, mail_id: int) -> bool:
    """Remove one; return False if it is not there, or a mailer has it in its hands."""
    chosen = delete(outbox).where(FREE, outbox.c.id == mail_id)
    found = session.execute(chosen.returning(outbox.c.body_id)).one_or_none()
    if found is None:
        return False
    shared = exists().where(outbox.c.body_id == mail_bodies.c.id)
    session.execute(delete(mail_bodies).where(mail_bodies.c.id == found.body_id, ~shared))
    return True


def remove_all(session: Session) -> int:
    """Remove every mail that no mailer has in its hands; return how many."""
    removed = session.execute(delete(outbox).where(FREE).returning(outbox.c.id)).all()
    shared = exists().where(outbox.c.body_id == mail_bodies.c.id)
    session.execute(delete(mail_bodies).where(~shared))
    return len(removed)
