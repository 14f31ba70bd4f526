"""What the overview is judged from: one statement, and what this process knows of its connections."""

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.orm import Session

from common.schema import HEAD
from common.waiting_mail import OLDEST_DUE
from web.console.known import Facts
from web.operation import pool

# Each part is found by an index and costs the same however many rows there are.
READ = """
    SELECT json_build_object(
        'at', now(),
        'revision', (SELECT version_num FROM alembic_version),
        'beats', (SELECT json_object_agg(part, json_build_object('at', beat_at, 'trouble', trouble)) FROM heartbeats),
        'gates', (SELECT json_agg(json_build_object('name', name, 'reason', reason, 'since', since) ORDER BY name)
                    FROM mail_gates),
        'oldest_due_at', ({oldest_due}),
        'dead_lately', (SELECT count(*) FROM outbox WHERE state = 'dead' AND done_at > now() - interval '24 hours'),
        'unsure', (SELECT count(*) FROM outbox WHERE state = 'unsure'),
        'failed_backups', (
            SELECT json_agg(kind ORDER BY kind)
              FROM (SELECT DISTINCT ON (kind) kind, state FROM backups
                     WHERE state <> 'running' ORDER BY kind, started_at DESC) AS last
             WHERE state = 'failed'),
        'targets', (SELECT json_agg(json_build_object('name', name, 'trouble', trouble) ORDER BY name)
                      FROM backup_targets WHERE trouble IS NOT NULL),
        'job', (SELECT json_build_object('part', part, 'since', asked_at)
                  FROM jobs WHERE state = 'waiting' ORDER BY asked_at LIMIT 1),
        'breaches', (SELECT coalesce(sum(times), 0) FROM limit_breaches WHERE minute > now() - interval '1 hour'),
        'breaches_before', (SELECT coalesce(sum(times), 0) FROM limit_breaches
                             WHERE minute > now() - interval '25 hours' AND minute <= now() - interval '1 hour'),
        'operators', (SELECT count(*) FROM accounts WHERE role = 'operator' AND locked_at IS NULL),
        'drafts', (SELECT count(*) FROM notices WHERE published_at IS NULL),
        'oldest_draft_at', (SELECT min(created_at) FROM notices WHERE published_at IS NULL),
        'invitations', (
            SELECT count(*)
              FROM account_tokens t
             WHERE purpose = 'invite' AND used_at IS NULL AND expires_at > now()
               AND (invited_by IS NULL
                    OR EXISTS (SELECT FROM accounts a
                                WHERE a.id = t.invited_by AND a.role = 'operator' AND a.locked_at IS NULL))),
        'well_since', coalesce(
            (SELECT max(minute) FROM probes WHERE state <> 'up' AND minute > now() - interval '2 days'),
            (SELECT max(day) + 1 FROM probe_days WHERE degraded + down > 0)::timestamp AT TIME ZONE 'UTC',
            (SELECT min(day) FROM probe_days)::timestamp AT TIME ZONE 'UTC',
            (SELECT min(minute) FROM probes)))
"""
STATEMENT = text(READ.format(oldest_due=OLDEST_DUE))
FACTS = TypeAdapter(Facts)


def read(session: Session) -> Facts:
    """Return the facts as they are now; raises SQLAlchemy's errors."""
    known = {
        name: told for name, told in session.scalars(STATEMENT).one().items() if told is not None
    }
    in_use, most = pool.in_use()
    return FACTS.validate_python(
        {**known, "head": HEAD, "connections": in_use, "most_connections": most}
    )
