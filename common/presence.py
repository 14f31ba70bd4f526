"""When each part was last seen at work, as a row that the status page shows."""

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from common.schema import heartbeats


def record(connection: Connection, part: str, now: datetime, trouble: str | None = None) -> None:
    """Write that `part` is at work, and what stands in its way (None: nothing)."""
    values = {"part": part, "beat_at": now, "trouble": trouble}
    statement = insert(heartbeats).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["part"], set_=values))
