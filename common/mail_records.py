"""What the database knows of each mail, for an operator to look at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, TextClause, text

COLUMNS = """
    m.id, m.state, m.kind, m.priority, m.sender, m.recipient, m.subject, m.message_id, m.dedupe_key,
    m.when_unsure, m.request_id, m.attempts, m.crashes, m.due_at, m.expires_at, m.lease_by, m.last_code,
    m.last_error, m.reply, m.created_at, m.first_try_at, m.done_at, m.body_id IS NOT NULL AS has_content
"""
# An address, or all of a domain where it begins with an @.
CHOSEN = """
       (CAST(:state AS text) IS NULL OR m.state = :state)
   AND (CAST(:kind AS text) IS NULL OR m.kind = :kind)
   AND (CAST(:to AS text) IS NULL
        OR lower(m.recipient) = lower(:to)
        OR left(:to, 1) = '@' AND right(lower(m.recipient), length(:to)) = lower(:to))
"""
NEWEST = "SELECT {columns} FROM outbox m WHERE {chosen} ORDER BY m.id DESC LIMIT :limit"
NUMBERS = "SELECT m.id FROM outbox m WHERE {chosen} ORDER BY m.id"
NAMED = """
    SELECT {columns} FROM outbox m
     WHERE m.id = ANY(CAST(:numbers AS bigint[])) OR m.message_id = ANY(CAST(:message_ids AS text[]))
  ORDER BY m.id
"""
ATTEMPTS = """
    SELECT at, mailer, stage, scope, code, reason, milliseconds
      FROM mail_attempts WHERE mail_id = :id ORDER BY at, id
"""
RAW = "SELECT m.head || b.content FROM outbox m JOIN mail_bodies b ON b.id = m.body_id WHERE m.id = :id"
RAW_START = """
    SELECT substring(m.head || b.content FROM 1 FOR :bytes)
      FROM outbox m JOIN mail_bodies b ON b.id = m.body_id WHERE m.id = :id
"""
MOST_DIGITS = 18  # fewer than the largest number has, and more than anybody needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A row of the outbox, without its bytes; `has_content` says whether those are still there."""

    id: int
    state: str
    kind: str
    priority: int
    sender: str
    recipient: str
    subject: str
    message_id: str
    dedupe_key: str | None
    when_unsure: str
    request_id: str | None
    attempts: int
    crashes: int
    due_at: datetime
    expires_at: datetime | None
    lease_by: int | None
    last_code: int | None
    last_error: str | None
    reply: str | None
    created_at: datetime
    first_try_at: datetime | None
    done_at: datetime | None
    has_content: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that failed."""

    at: datetime
    mailer: int
    stage: str
    scope: str
    code: int | None
    reason: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which mail: in a state, of a kind, to an address or to a @domain; None is any."""

    state: str | None = None
    kind: str | None = None
    to: str | None = None

    def values(self) -> dict[str, Any]:
        """Return what CHOSEN binds."""
        return {"state": self.state, "kind": self.kind, "to": self.to}


def now_of(connection: Connection) -> datetime:
    """Return the time that the database has."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now


def newest(connection: Connection, choice: Choice, limit: int) -> list[Record]:
    """Return so many of the mails that fit, the newest first."""
    rows = connection.execute(complete(NEWEST), choice.values() | {"limit": limit})
    return [Record(**row) for row in rows.mappings()]


def complete(statement: str) -> TextClause:
    """Return the statement with what several of them have in common."""
    return text(statement.format(columns=COLUMNS, chosen=CHOSEN))


def numbers_of(connection: Connection, choice: Choice) -> list[int]:
    """Return the numbers of all mails that fit."""
    return list(connection.scalars(complete(NUMBERS), choice.values()))


def named(connection: Connection, names: Sequence[str]) -> list[Record]:
    """Return the mails with these numbers or Message-IDs; several may share a Message-ID."""
    numbers = [int(name) for name in names if is_number(name)]
    message_ids = list(message_ids_of(names))
    values = {"numbers": numbers, "message_ids": message_ids}
    return [Record(**row) for row in connection.execute(complete(NAMED), values).mappings()]


def unknown(names: Sequence[str], found: Sequence[Record]) -> list[str]:
    """Return those of the names that none of the mails has."""
    known = {str(mail.id) for mail in found} | {mail.message_id for mail in found}
    return [name for name in names if not known & {name, f"<{name}>", name.lstrip("0")}]


def message_ids_of(names: Sequence[str]) -> Iterator[str]:
    """Yield the Message-IDs among the names; the angle brackets need not be typed."""
    for name in names:
        if not is_number(name):
            yield name if name.startswith("<") else f"<{name}>"


def is_number(name: str) -> bool:
    """Say whether this is the number of a mail."""
    return name.isascii() and name.isdigit() and len(name) <= MOST_DIGITS


def attempts_of(connection: Connection, mail: Record) -> list[Attempt]:
    """Return the tries that failed, the first first."""
    return [Attempt(*row) for row in connection.execute(text(ATTEMPTS), {"id": mail.id})]


def raw_of(connection: Connection, mail: Record) -> bytes | None:
    """Return the mail as it is sent, or None where its content was removed."""
    raw = connection.execute(text(RAW), {"id": mail.id}).scalar_one_or_none()
    return None if raw is None else bytes(raw)


def raw_start_of(connection: Connection, number: int, size: int) -> bytes | None:
    """Return the first bytes of a mail, or None where there is none, or its content was removed."""
    values = {"id": number, "bytes": size}
    raw = connection.execute(text(RAW_START), values).scalar_one_or_none()
    return None if raw is None else bytes(raw)
