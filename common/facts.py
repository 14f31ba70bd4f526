"""What the database knows of the parts, in two statements."""

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from common.condition import MANY_MAILS, Beat, Facts
from common.schema import heartbeats
from common.waiting_mail import NUMBER, OLDEST_DUE

# Of the backups the last run of each kind that ended: a base backup hides no failed dump.
OTHERS = """
    SELECT ({number}) AS mails_waiting,
           ({oldest_due}) AS oldest_due_at,
           EXISTS (SELECT
                     FROM (SELECT DISTINCT ON (kind) state FROM backups
                            WHERE state <> 'running' ORDER BY kind, started_at DESC) AS latest
                    WHERE state = 'failed') AS last_backup_failed,
           (SELECT max(finished_at) FROM backups WHERE state = 'proven') AS last_proven_at
"""
STATEMENT = text(OTHERS.format(number=NUMBER, oldest_due=OLDEST_DUE))


def read(connection: Connection | Session) -> Facts:
    """Return the facts as they are now."""
    beats = connection.execute(
        select(heartbeats.c.part, heartbeats.c.beat_at, heartbeats.c.trouble)
    )
    others = connection.execute(STATEMENT, {"enough": MANY_MAILS + 1}).one()
    return Facts(
        beats={part: Beat(beat_at, trouble) for part, beat_at, trouble in beats},
        mails_waiting=others.mails_waiting,
        oldest_due_at=others.oldest_due_at,
        last_backup_failed=others.last_backup_failed,
        last_proven_at=others.last_proven_at,
    )
