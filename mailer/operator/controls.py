"""What an operator may do to the mail. Each change is a short transaction, and wakes all mailers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, text

from common.mail_gates import RELAY, pause_of
from common.mailer_locks import is_held
from common.outbox import CHANNEL

AT_ONCE = 5_000

# What one that is gone had in hand is nobody's by now; where it began with it, its journal tells.
IN_HAND = """
    m.lease_by IS NOT NULL AND m.lease_by <> ALL (CAST(:gone AS integer[]))
    THEN 'mailer ' || m.lease_by || ' has it in hand just now; try again in a moment'
"""
# Why a mail is not to be queued again; null: nothing speaks against it.
NOT_AGAIN = """
    CASE WHEN m.state = 'sent' THEN 'it was sent, and nothing is sent twice'
         WHEN {in_hand}
         WHEN m.body_id IS NULL THEN 'its content was removed, some days after it was done'
         WHEN EXISTS (SELECT FROM mail_suppressions s
                       WHERE s.address = lower(m.recipient) AND s.scope IN ('*', m.kind))
         THEN 'its address gets no more mail; `unsuppress` it first'
         WHEN m.state IN ('dead', 'expired', 'suppressed', 'cancelled') AND EXISTS (
              SELECT FROM outbox o
               WHERE o.dedupe_key = m.dedupe_key AND o.recipient = m.recipient
                 AND o.state IN ('queued', 'sent', 'unsure'))
         THEN 'another mail took its place, with the same dedupe key'
    END
"""
# As if it came now: nothing is charged to it, and what it expired of no longer counts. Of several that
# stand for one another, the newest. In whose hands it was stays, so that the next one asks the journal.
RETRY = """
    UPDATE outbox m
       SET state = 'queued', due_at = clock_timestamp(), attempts = 0, crashes = 0,
           first_try_at = NULL, done_at = NULL,
           expires_at = CASE WHEN m.expires_at > clock_timestamp() THEN m.expires_at END
      FROM (SELECT id, row_number() OVER (PARTITION BY dedupe_key, recipient ORDER BY id DESC) AS place
              FROM outbox
             WHERE id = ANY(CAST(:ids AS bigint[]))) AS chosen
     WHERE m.id = chosen.id AND (m.dedupe_key IS NULL OR chosen.place = 1) AND {obstacle} IS NULL
 RETURNING m.id,
           'mailer ' || m.lease_by || ', which is gone, had it in hand: where its journal says that it went, '
           'it is not sent again' AS note
"""
# Why a mail can't be cancelled.
NOT_CANCELLED = """
    CASE WHEN m.state NOT IN ('queued', 'unsure', 'dead') THEN 'it is ' || m.state || ' already'
         WHEN {in_hand}
    END
"""
CANCEL = """
    UPDATE outbox m
       SET state = 'cancelled', done_at = clock_timestamp(), lease_by = NULL,
           last_error = coalesce(
               'mailer ' || m.lease_by || ', which is gone, had it in hand: it may have arrived', m.last_error)
      FROM outbox before
     WHERE before.id = m.id AND m.id = ANY(CAST(:ids AS bigint[])) AND {obstacle} IS NULL
 RETURNING m.id, CASE WHEN before.lease_by IS NOT NULL THEN m.last_error END AS note
"""
THE_REST = """
    SELECT m.id, coalesce({obstacle}, 'it changed just now; try again') AS obstacle
      FROM outbox m
     WHERE m.id = ANY(CAST(:ids AS bigint[])) AND m.id <> ALL(CAST(:done AS bigint[]))
  ORDER BY m.id
"""
# A mailer that froze keeps its lock, and may go on any moment.
GONE = """
    SELECT m.number
      FROM (SELECT DISTINCT lease_by AS number
              FROM outbox
             WHERE id = ANY(CAST(:ids AS bigint[])) AND lease_by IS NOT NULL) AS m
     WHERE NOT {is_held}
"""
PAUSE = """
    INSERT INTO mail_gates AS known (name, cause, reason) VALUES (:name, 'operator', :reason)
    ON CONFLICT (name) DO UPDATE SET reason = EXCLUDED.reason
"""
RESUME = "DELETE FROM mail_gates WHERE name = :name"
PROBE = """
    UPDATE mail_gates SET next_probe_at = clock_timestamp() WHERE name = ANY(CAST(:names AS text[]))
 RETURNING name
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Which mails it was done to, what is to be known of some of them, and why not to the others."""

    done: list[int] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


class Controls:
    """All of them may raise SQLAlchemy's errors; what was done until then is done."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def retry(self, ids: Sequence[int]) -> Outcome:
        """Queue these mails as if they came now, and let the relay be tried at once."""
        outcome = self._change(RETRY, NOT_AGAIN, ids)
        if outcome.done:
            self.probe(RELAY)
        return outcome

    def cancel(self, ids: Sequence[int]) -> Outcome:
        """See to it that these mails are never sent; none that a mailer has in hand just now."""
        return self._change(CANCEL, NOT_CANCELLED, ids)

    def _change(self, statement: str, obstacle: str, ids: Sequence[int]) -> Outcome:
        """Run the statement on these mails, and return what became of each."""
        outcome, obstacle = Outcome(), obstacle.format(in_hand=IN_HAND)
        for some in portions(ids):
            with self._engine.begin() as transaction:
                values = {"ids": some, "gone": gone(transaction, some)}
                change(transaction, outcome, statement, obstacle, values)
        return outcome

    def pause(self, kind: str | None, reason: str) -> None:
        """Hold all mail back, or all of a kind, until an operator resumes it."""
        with self._engine.begin() as transaction:
            transaction.execute(text(PAUSE), {"name": pause_of(kind), "reason": reason})
            wake(transaction)

    def resume(self, kind: str | None) -> bool:
        """End that pause; False where there was none."""
        with self._engine.begin() as transaction:
            ended = transaction.execute(text(RESUME), {"name": pause_of(kind)}).rowcount == 1
            wake(transaction)
        return ended

    def probe(self, *names: str) -> list[str]:
        """Have these gates tried at once; return those that are closed."""
        with self._engine.begin() as transaction:
            closed = list(transaction.scalars(text(PROBE), {"names": list(names)}))
            wake(transaction)
        return closed


def change(
    transaction: Connection,
    outcome: Outcome,
    statement: str,
    obstacle: str,
    values: Mapping[str, object],
) -> None:
    """Run the statement on the mails of `values`, and add to the outcome what became of each."""
    changed = transaction.execute(text(statement.format(obstacle=obstacle)), values).all()
    done = sorted(row.id for row in changed)
    rest = transaction.execute(text(THE_REST.format(obstacle=obstacle)), {**values, "done": done})
    outcome.done.extend(done)
    outcome.notes.update({row.id: row.note for row in sorted(changed) if row.note})
    outcome.refused.update({row.id: row.obstacle for row in rest})
    wake(transaction)


def gone(transaction: Connection, ids: Sequence[int]) -> list[int]:
    """Return the mailers that had some of these mails in hand and are gone; none comes back."""
    statement = text(GONE.format(is_held=is_held("m.number")))
    return list(transaction.scalars(statement, {"ids": ids}))


def wake(transaction: Connection) -> None:
    """Have all mailers look anew, once this is committed."""
    transaction.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def portions(ids: Sequence[int]) -> Iterator[list[int]]:
    """Yield the numbers in portions that one short transaction can take."""
    for start in range(0, len(ids), AT_ONCE):
        yield list(ids[start : start + AT_ONCE])
