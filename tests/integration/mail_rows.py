"""What the tests of the mailer ask of the tables, and do to them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from mailer.delivery.claims import ALWAYS, FRESH, Claims, Look
from mailer.delivery.outbox import Mail
from tests.integration.postgres import Database

ME, ANOTHER = 7, 8
EVERY_PRIORITY = dict.fromkeys(range(1, 10), ALWAYS)


def claim(
    database: Database, number: int = 1, *, lane: str = FRESH, me: int = ME, **look: Any
) -> list[Mail]:
    """Claim so many mails, as mailer `me` would that looks as `look` says."""
    whole: dict[str, Any] = {
        "alive": [me],
        "frozen": [],
        "in_hand": [],
        "held_kinds": [],
        "bounds": EVERY_PRIORITY,
        "bytes": 2**20,
        "too_large": 2**20,
        **look,
    }
    with database.engine("mailer").begin() as connection:
        return Claims(connection).take(lane, Look(me=me, **whole), number)


def recipients(mails: Sequence[Mail]) -> list[str]:
    """Return to whom they go."""
    return [mail.recipient for mail in mails]


def row(database: Database, number: int = 1) -> "Row[tuple[object, ...]]":
    """Return one mail, and how many seconds it is until it is due."""
    with database.engine("owner").connect() as connection:
        statement = text(
            "SELECT *, extract(epoch FROM due_at - now()) AS due_seconds FROM outbox WHERE id = :id"
        )
        return connection.execute(statement, {"id": number}).one()


def gate(database: Database, name: str) -> "Row[tuple[object, ...]] | None":
    """Return a gate, or None where it is open."""
    with database.engine("owner").connect() as connection:
        statement = text("SELECT * FROM mail_gates WHERE name = :name")
        return connection.execute(statement, {"name": name}).one_or_none()


def do(database: Database, statement: str) -> None:
    """Run a statement as the owner."""
    with database.engine("owner").begin() as connection:
        connection.execute(text(statement))
