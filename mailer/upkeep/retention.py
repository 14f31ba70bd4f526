"""What mail is kept for how long: of what is done, the content for a week, the row for 90 days.

The content of sent mail goes sooner once it has expired: a code or a link that is worth nothing any
more. Of what was not sent it stays for the week, as an operator may want to send it nonetheless.
Mail that waits, and what asks for attention (dead, unsure), is kept until somebody decides on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection, Engine, text

from common.mailer_locks import is_held

log = structlog.get_logger(__name__)

CONTENT_KEPT = timedelta(days=7)
ORPHAN_KEPT = timedelta(days=1)  # a content without a mail: nobody will ask for it
ROW_KEPT = timedelta(days=90)
MAILER_KEPT = timedelta(days=1)  # after the end of its lease
AT_ONCE = 5_000
HOUSEKEEPING_LOCK = 0x72657465  # any number but MAILER_LOCKS, the same for all

# For a transaction's length, so that a mailer that dies leaves nothing locked.
LOCK = "SELECT pg_try_advisory_xact_lock(:lock)"
# Contents in the order of their numbers, which is that of their age.
PAGE = """
    SELECT id, created_at < clock_timestamp() - :orphan_kept AS old,
           created_at < clock_timestamp() - :content_kept AS very_old
      FROM mail_bodies
     WHERE id > :after
  ORDER BY id
     LIMIT :at_once
"""
# A mail lets go of its content first, and a content that nobody holds goes then: a mail that is
# queued again meanwhile is either seen here, or has no content and is refused.
LET_GO = """
    UPDATE outbox SET body_id = NULL
     WHERE id IN (SELECT id
                    FROM outbox
                   WHERE body_id = ANY(CAST(:ids AS bigint[]))
                     AND state IN ('sent', 'expired', 'suppressed', 'cancelled')
                     AND done_at < clock_timestamp() - :content_kept
                   LIMIT :at_once
              FOR UPDATE SKIP LOCKED)
"""
# By its index, likewise with now().
EXPIRED = """
    WITH chosen AS MATERIALIZED (
        SELECT id, body_id
          FROM outbox
         WHERE state = 'sent' AND body_id IS NOT NULL AND expires_at < now()
      ORDER BY expires_at
         LIMIT :at_once
    FOR UPDATE SKIP LOCKED
    ), let_go AS (
        UPDATE outbox m SET body_id = NULL FROM chosen WHERE m.id = chosen.id
    )
    SELECT body_id FROM chosen
"""
REMOVE = """
    DELETE FROM mail_bodies b
     WHERE b.id = ANY(CAST(:ids AS bigint[])) AND NOT EXISTS (SELECT FROM outbox o WHERE o.body_id = b.id)
"""
# One state at a time, each by its index, which now() can bound and clock_timestamp() can't; the attempts
# go with their mail.
PRUNE = """
    DELETE FROM outbox
     WHERE id IN (SELECT id
                    FROM outbox
                   WHERE state = '{state}' AND done_at < now() - :row_kept
                ORDER BY done_at
                   LIMIT :at_once
              FOR UPDATE SKIP LOCKED)
"""
STATES = ("sent", "expired", "suppressed", "cancelled")
# One that still has mail in hand is how others know that it needs to be taken up.
FORGET = """
    DELETE FROM mailers m
     WHERE m.lease_until < clock_timestamp() - :mailer_kept
       AND NOT EXISTS (SELECT FROM outbox o WHERE o.state = 'queued' AND o.lease_by = m.number)
       AND NOT {is_held}
"""
PERIODS = {
    "content_kept": CONTENT_KEPT,
    "orphan_kept": ORPHAN_KEPT,
    "row_kept": ROW_KEPT,
    "mailer_kept": MAILER_KEPT,
    "at_once": AT_ONCE,
}


@dataclass(frozen=True, slots=True)
class Removed:
    """How much went."""

    contents: int = 0
    mails: int = 0
    mailers: int = 0


class BusyElsewhereError(Exception):
    """Another mailer does it just now, and one is enough."""


class Retention:
    """Removes what is no longer kept, in transactions that are short; safe to repeat and to break off."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run_once(self) -> Removed:
        """Remove all that is due; what is locked just now goes the next time. Raises SQLAlchemy's errors."""
        try:
            contents = self._remove_expired() + self._remove_contents()
            removed = Removed(
                contents, self._prune_mails(), self._do(FORGET.format(is_held=is_held("m.number")))
            )
        except BusyElsewhereError:
            return Removed()
        if removed != Removed():
            log.info(
                "removed what is no longer kept",
                contents=removed.contents,
                mails=removed.mails,
                mailers=removed.mailers,
            )
        return removed

    def _remove_expired(self) -> int:
        removed, more = 0, True
        while more:
            with self._engine.begin() as transaction:
                take_lock(transaction)
                bodies = list(transaction.scalars(text(EXPIRED), PERIODS))
                values = {"ids": sorted(set(bodies))}
                removed += transaction.execute(text(REMOVE), values).rowcount
            more = len(bodies) == AT_ONCE
        return removed

    def _remove_contents(self) -> int:
        removed = 0
        for old, very_old in self._pages():
            while very_old and self._do(LET_GO, ids=very_old) == AT_ONCE:
                pass  # one content may have many mails
            removed += self._do(REMOVE, ids=old)
        return removed

    def _pages(self) -> Iterator[tuple[list[int], list[int]]]:
        """Yield the numbers of contents that are old enough to go, and of those whose mails may let go."""
        after = 0
        while True:
            with self._engine.begin() as transaction:
                take_lock(transaction)
                rows = transaction.execute(text(PAGE), PERIODS | {"after": after}).all()
            old = [row.id for row in rows if row.old]
            if old:
                yield old, [row.id for row in rows if row.very_old]
            if len(old) < AT_ONCE:  # from here on they are too young
                return
            after = rows[-1].id

    def _prune_mails(self) -> int:
        pruned = 0
        for state in STATES:
            statement = PRUNE.format(state=state)
            while batch := self._do(statement):
                pruned += batch
        return pruned

    def _do(self, statement: str, **values: object) -> int:
        """Run it in a transaction of its own, and return how many rows it concerned."""
        with self._engine.begin() as transaction:
            take_lock(transaction)
            return transaction.execute(text(statement), PERIODS | values).rowcount


def take_lock(transaction: Connection) -> None:
    """See to it that one mailer at a time does this, for as long as this transaction."""
    if not transaction.scalar(text(LOCK), {"lock": HOUSEKEEPING_LOCK}):
        raise BusyElsewhereError
