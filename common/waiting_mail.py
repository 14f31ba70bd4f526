"""Mail that waits, as statements look it up: each part by an index, however much there is."""

# The mail that is due the longest is at the front of one of nine urgencies, of two lanes; one that a mailer
# holds is not late, and what failed is due at its next try.
OLDEST_DUE = """
    SELECT min(first.due_at)
      FROM generate_series(1, 9) AS urgency (number),
   LATERAL ((SELECT due_at FROM outbox
              WHERE state = 'queued' AND attempts = 0 AND priority = number
                AND due_at <= now() AND lease_by IS NULL ORDER BY due_at LIMIT 1)
             UNION ALL
            (SELECT due_at FROM outbox
              WHERE state = 'queued' AND attempts > 0 AND priority = number
                AND due_at <= now() AND lease_by IS NULL ORDER BY due_at LIMIT 1)) AS first
"""

# As many as are enough.
NUMBER = """
    SELECT count(*)
      FROM ((SELECT FROM outbox WHERE state = 'queued' AND attempts = 0 LIMIT :enough)
             UNION ALL
            (SELECT FROM outbox WHERE state = 'queued' AND attempts > 0 LIMIT :enough)
      LIMIT :enough) AS waiting
"""
