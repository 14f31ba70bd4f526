"""The addresses that get no more mail: of one kind, or none at all."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

EVERYTHING = "*"

LIST = "SELECT address, scope, reason, since FROM mail_suppressions ORDER BY since DESC, address, scope"
SUPPRESS = """
    INSERT INTO mail_suppressions (address, scope, reason) VALUES (lower(:address), :scope, :reason)
    ON CONFLICT DO NOTHING
"""
UNSUPPRESS = """
    DELETE FROM mail_suppressions
     WHERE address = lower(:address) AND (CAST(:scope AS text) IS NULL OR scope = :scope)
"""


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that gets no mail of this scope: a kind, or * for all."""

    address: str
    scope: str
    reason: str
    since: datetime


def read_suppressions(connection: Connection) -> list[Suppression]:
    """Return all of them, the newest first."""
    return [Suppression(*row) for row in connection.execute(text(LIST))]


def suppress(connection: Connection, address: str, scope: str, reason: str) -> bool:
    """Send the address nothing more of this scope; False where that was so already."""
    values = {"address": address, "scope": scope, "reason": reason}
    return connection.execute(text(SUPPRESS), values).rowcount == 1


def unsuppress(connection: Connection, address: str, scope: str | None) -> int:
    """Let mail through to the address again (None: of every scope); return how many entries went."""
    values = {"address": address, "scope": scope}
    return connection.execute(text(UNSUPPRESS), values).rowcount
