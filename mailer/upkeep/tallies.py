"""How much was sent in each hour and each day that is over, counted once: the console shows months of it."""

from sqlalchemy import Engine, text

# A mail is recorded a moment after it went; with that, an hour is over.
MISSING = text("""
    WITH span (length, step, first, until) AS (
        SELECT 'hour', interval '1 hour', date_trunc('hour', now(), 'UTC') - interval '25 hours',
               now() - interval '1 hour 2 minutes'
         UNION ALL
        SELECT 'day', interval '1 day', date_trunc('day', now(), 'UTC') - interval '31 days',
               now() - interval '1 day 2 minutes'
    )
    SELECT span.length, series.begins_at, series.begins_at + span.step AS ends_at
      FROM span, generate_series(first, until, step) AS series (begins_at)
     WHERE NOT EXISTS (SELECT FROM mail_tallies t
                        WHERE t.length = span.length AND t.begins_at = series.begins_at AND t.kind = '*')
  ORDER BY series.begins_at, span.length
""")
COUNT = text("""
    INSERT INTO mail_tallies (length, begins_at, kind, sent, half_seconds, most_seconds)
    SELECT :length, :begins_at, coalesce(kind, '*'), count(*),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds)
      FROM (SELECT kind, extract(epoch FROM done_at - least(first_try_at, greatest(created_at, due_at))) AS seconds
              FROM outbox
             WHERE state = 'sent' AND done_at >= :begins_at AND done_at < :ends_at) AS sent
  GROUP BY GROUPING SETS ((kind), ())
        ON CONFLICT DO NOTHING
""")
PRUNE = text("DELETE FROM mail_tallies WHERE begins_at < now() - interval '90 days'")


def count_what_is_over(engine: Engine) -> int:
    """Count what was not counted yet, and return how many hours and days that was; safe to repeat."""
    with engine.connect() as connection:
        missing = connection.execute(MISSING).all()
    for span in missing:
        with engine.begin() as transaction:
            transaction.execute(COUNT, span._asdict())
    with engine.begin() as transaction:
        transaction.execute(PRUNE)
    return len(missing)
