"""What is done now and then, beside the mail: what is no longer kept is removed, what was sent is counted."""

import time
from pathlib import Path

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from common.database import reason_of
from mailer.delivery.journal import journals_in
from mailer.stop import Stop
from mailer.upkeep import asked, tallies
from mailer.upkeep.retention import Retention

# Those that live, and those of whose mail some is still to be taken up.
KNOWN = """
    SELECT number FROM mailers
     UNION
    SELECT lease_by FROM outbox WHERE state = 'queued' AND lease_by IS NOT NULL
"""

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600.0
JOURNAL_KEPT_SECONDS = 24 * 3600.0  # after its last line; its mail was taken up long before


class Housekeeping:
    """Looks once an hour, in a thread of its own."""

    def __init__(self, engine: Engine, journals: Path) -> None:
        self._engine = engine
        self._journals = journals
        self._retention = Retention(engine)

    def run(self, stop: Stop) -> None:
        """Do it until told to stop; no trouble ends it."""
        while not stop.is_set():
            try:
                self._retention.run_once()
                tallies.count_what_is_over(self._engine)
                asked.prune(self._engine)
                self.remove_journals(time.time())
            except (DBAPIError, OSError) as error:
                log.warning(
                    "housekeeping failed; it is tried again in an hour", reason=reason_of(error)
                )
            except Exception:  # the thread would end unseen
                log.exception("housekeeping failed for a reason that nobody foresaw")
            stop.wait(INTERVAL_SECONDS)

    def remove_journals(self, now: float) -> None:
        """Remove the journals of mailers that nobody knows any more; raises OSError."""
        with self._engine.connect() as connection:
            known = set(connection.scalars(text(KNOWN)))
        for number, path in journals_in(self._journals):
            if number not in known and path.stat().st_mtime < now - JOURNAL_KEPT_SECONDS:
                path.unlink(missing_ok=True)
