"""Rows of the outbox as they come to be in the course of weeks, and mailers that live or died."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text

from common.schema import mail_attempts, mail_bodies, mail_gates, mailers, outbox
from mailer.delivery.session import Session
from tests.integration.postgres import Database

CONTENT = b"Subject: hello\r\n\r\nhello, w\xc3\xb6rld\r\n"
_numbers = itertools.count(1)


def ago(**units: float) -> datetime:
    """Return when that was."""
    return datetime.now(UTC) - timedelta(**units)


def ahead(**units: float) -> datetime:
    """Return when that will be."""
    return datetime.now(UTC) + timedelta(**units)


def put_body(database: Database, created_at: datetime | None = None) -> int:
    """Put a content, and return its number."""
    values: dict[str, Any] = {"content": CONTENT, "created_at": created_at or ago()}
    with database.engine("owner").begin() as connection:
        statement = insert(mail_bodies).values(values).returning(mail_bodies.c.id)
        number: int = connection.execute(statement).scalar_one()
        return number


def put_mail(database: Database, **values: Any) -> int:
    """Put a mail that is as the values say, and return its number."""
    number = next(_numbers)
    complete = {
        "kind": "news",
        "sender": "us@example.org",
        "recipient": f"reader-{number}@example.net",
        "subject": "hello",
        "message_id": f"<{number}@example.org>",
        "head": b"X-Head: yes\r\n",
        **values,
    }
    if "body_id" not in complete:
        complete["body_id"] = put_body(database, complete.get("created_at"))
    with database.engine("owner").begin() as connection:
        statement = insert(outbox).values(complete).returning(outbox.c.id)
        found: int = connection.execute(statement).scalar_one()
        return found


def put_attempt(database: Database, mail: int, **values: Any) -> None:
    """Put a try of a mail that failed."""
    complete = {
        "mail_id": mail,
        "mailer": 7,
        "stage": "recipient",
        "scope": "recipient",
        "code": 450,
        "reason": "450 4.2.1 try later",
        "milliseconds": 12,
        **values,
    }
    with database.engine("owner").begin() as connection:
        connection.execute(insert(mail_attempts).values(complete))


def close_gate(database: Database, name: str, **values: Any) -> None:
    """Close a gate."""
    complete = {"name": name, "cause": "server", "reason": "connection refused", **values}
    with database.engine("owner").begin() as connection:
        connection.execute(insert(mail_gates).values(complete))


def gates(database: Database) -> dict[str, Any]:
    """Return the gates that are closed, by name."""
    with database.engine("owner").connect() as connection:
        return {row.name: row for row in connection.execute(select(mail_gates))}


def mail_of(database: Database, number: int) -> Any:
    """Return a row of the outbox, or None where there is none."""
    with database.engine("owner").connect() as connection:
        return connection.execute(select(outbox).where(outbox.c.id == number)).one_or_none()


def numbers_in(database: Database, table: str) -> list[int]:
    """Return the numbers of what a table holds."""
    key = "number" if table == "mailers" else "id"
    with database.engine("owner").connect() as connection:
        return list(connection.scalars(text(f"SELECT {key} FROM {table} ORDER BY 1")))


@contextmanager
def living_mailer(database: Database) -> Iterator[int]:
    """Be a mailer that lives, and give its number."""
    session = Session(database.engine("mailer"))
    try:
        yield session.number
    finally:
        session.leave()


def put_dead_mailer(database: Database, number: int, lease_until: datetime) -> None:
    """Leave behind what a mailer leaves that was killed."""
    values = {"number": number, "host": "gone", "lease_until": lease_until}
    with database.engine("owner").begin() as connection:
        connection.execute(insert(mailers).values(values))
