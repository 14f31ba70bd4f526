"""What one part asks of another: a row that waits, is taken by one, tells how far it has come, and keeps the answer.

Who asks commits, and then the other is woken; who works writes each step in a transaction of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, text

from common.schema import jobs

CHANNEL = "keelson_jobs"
LOCKS = 0x6A6F6273  # any number that no other advisory lock has
ASKING = 0x6A6F6261  # likewise
LOST = "the part that worked on it has ended; ask again"

# Of two who ask at once the second finds what the first has asked.
TAKE_TURNS = text("SELECT pg_advisory_xact_lock(:asking)")
# What the same form has asked; or what was asked last of the part and has not ended. With anything asked in between,
# such as a pause between two resumes, it is not the same any more.
SAME = text("""
    SELECT id, coalesce(once = :once, false) AS by_this_form
      FROM jobs
     WHERE part = :part AND verb = :verb AND arguments = CAST(:arguments AS jsonb)
       AND (once = :once
            OR state IN ('waiting', 'running') AND id = (SELECT max(id) FROM jobs WHERE part = :part))
  ORDER BY id DESC
     LIMIT 1
""")
TAKE = text("""
    UPDATE jobs
       SET state = 'running', began_at = clock_timestamp()
     WHERE id = (SELECT id FROM jobs
                  WHERE part = :part AND state = 'waiting'
               ORDER BY id
                  LIMIT 1
             FOR UPDATE SKIP LOCKED)
 RETURNING id, verb, arguments
""")
STEP = text("""
    UPDATE jobs
       SET steps = steps || jsonb_build_array(
               jsonb_build_object('at', clock_timestamp(), 'said', CAST(:said AS text), 'ok', CAST(:ok AS boolean)))
     WHERE id = :id AND state = 'running'
""")
END = text("""
    UPDATE jobs
       SET state = :state, ended_at = clock_timestamp(), answer = CAST(:answer AS jsonb)
     WHERE id = :id AND state = 'running'
""")
LOSE = text("""
    UPDATE jobs
       SET state = 'failed', ended_at = clock_timestamp(), answer = jsonb_build_object('error', CAST(:lost AS text))
     WHERE part = :part AND state = 'running'
""")
# Whoever works on one holds its lock, which goes with the connection. It is held before others see that the
# job runs; the number of a lock has 31 bits.
TAKE_AND_HOLD = text(
    f"WITH taken AS ({TAKE.text}) "  # noqa: S608 made of constants
    "SELECT id, verb, arguments, pg_advisory_lock(:locks, CAST(id & 2147483647 AS integer)) FROM taken"
)
LET_GO = text("SELECT pg_advisory_unlock(:locks, CAST(:id & 2147483647 AS integer))")
LOSE_ABANDONED = text("""
    UPDATE jobs
       SET state = 'failed', ended_at = clock_timestamp(), answer = jsonb_build_object('error', CAST(:lost AS text))
     WHERE part = :part AND state = 'running'
       AND NOT EXISTS (SELECT FROM pg_locks l
                        WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.classid = :locks
                          AND l.objid = CAST(jobs.id & 2147483647 AS oid)
                          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
""")


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked."""

    id: int
    verb: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: a new job, or the one that does it already; perhaps asked by this very form."""

    id: int
    is_new: bool
    by_this_form: bool


def ask_once(
    connection: Connection, part: str, verb: str, arguments: Mapping[str, Any], once: str | None
) -> Asked:
    """Ask it, unless it was asked already and has not begun or not ended, or this form has asked it before.

    `once` names the form as it was shown, or is None for what has none. Others who ask wait until the
    caller's transaction ends.
    """
    connection.execute(TAKE_TURNS, {"asking": ASKING})
    given = {"part": part, "verb": verb, "arguments": json.dumps(dict(arguments)), "once": once}
    found = connection.execute(SAME, given).one_or_none()
    if found is not None:
        return Asked(found.id, is_new=False, by_this_form=found.by_this_form)
    return Asked(ask(connection, part, verb, arguments, once), is_new=True, by_this_form=False)


def ask(
    connection: Connection,
    part: str,
    verb: str,
    arguments: Mapping[str, Any],
    once: str | None = None,
) -> int:
    """Ask it of a part, once this transaction is committed; return the number to look for the answer by."""
    row = insert(jobs).values(part=part, verb=verb, arguments=dict(arguments), once=once)
    number = connection.scalars(row.returning(jobs.c.id)).one()
    connection.execute(
        text("SELECT pg_notify(:channel, :part)"), {"channel": CHANNEL, "part": part}
    )
    return int(number)


def take(connection: Connection, part: str) -> Job | None:
    """Take what waits longest for this part; None where nothing waits. Of several at work one gets it."""
    row = connection.execute(TAKE, {"part": part}).first()
    return Job(row.id, row.verb, row.arguments) if row else None


def step(connection: Connection, number: int, said: str, *, ok: bool = True) -> None:
    """Write how far it has come."""
    connection.execute(STEP, {"id": number, "said": said, "ok": ok})


def end(connection: Connection, number: int, answer: str, *, ok: bool) -> None:
    """Write the answer, a JSON document."""
    state = "done" if ok else "failed"
    connection.execute(END, {"id": number, "state": state, "answer": answer})


def lose(connection: Connection, part: str) -> int:
    """Fail what was left running, for a part of which there is only one, at its start; return how many that were."""
    return connection.execute(LOSE, {"part": part, "lost": LOST}).rowcount


def take_and_hold(connection: Connection, part: str) -> Job | None:
    """Take one as `take` does, and hold its lock until `let_go`.

    For a part of which there are several: whose connection ends has ended its job, too.
    """
    row = connection.execute(TAKE_AND_HOLD, {"part": part, "locks": LOCKS}).first()
    return Job(row.id, row.verb, row.arguments) if row else None


def let_go(connection: Connection, number: int) -> None:
    """Hold it no more; it has ended."""
    connection.execute(LET_GO, {"locks": LOCKS, "id": number})


def lose_abandoned(connection: Connection, part: str) -> int:
    """Fail what is left running by those who hold it no more; return how many that were."""
    values = {"part": part, "locks": LOCKS, "lost": LOST}
    return connection.execute(LOSE_ABANDONED, values).rowcount
