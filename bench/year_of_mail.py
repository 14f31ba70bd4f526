"""The mail of that year, of which rows are kept for 90 days: 900,000 from before, and 100,000 of the last hours.

Every week and a half a notice goes to 50,000 readers at once; between those, people's own mail comes steadily.
"""

# 12 blocks of 75,000, the first 50,000 of each a notice. Of what is over the content is removed.
BEFORE = """
    INSERT INTO outbox (state, kind, priority, sender, recipient, subject, message_id, head, attempts, due_at,
                        created_at, first_try_at, done_at, last_error, reply)
    SELECT state, kind, CASE kind WHEN 'notice' THEN 9 ELSE 1 + n % 3 END, 'us@example.org',
           'reader-' || k % 50000 || CASE WHEN k % 5 < 2 THEN '@big' ELSE '@host-' || k % 50000 % 97 END || '.example',
           CASE kind WHEN 'notice' THEN 'Mail is late: we have found why' ELSE 'Please confirm your address' END,
           '<' || md5(n::text) || '@example.org>', repeat('h', 250)::bytea,
           CASE state WHEN 'dead' THEN 8 ELSE n % 50 / 49 END, at, at, at + interval '1 second',
           at + interval '3 seconds' + k * interval '2 milliseconds',
           CASE WHEN state = 'dead' THEN 'RCPT: 550 5.1.1 <reader>: Recipient address rejected: User unknown' END,
           CASE WHEN state = 'sent' THEN '2.0.0 Ok: queued as 4XyZ' || n END
      FROM (SELECT n, k, begins + CASE WHEN k < 50000 THEN k * interval '10 milliseconds'
                                       ELSE interval '10 minutes' + (k - 50000) * interval '25 seconds' END AS at,
                   CASE WHEN n % 500 = 0 THEN 'dead' WHEN n % 5003 = 0 THEN 'unsure' WHEN n % 401 = 0 THEN 'cancelled'
                        WHEN n % 307 = 0 THEN 'suppressed' WHEN n % 5009 = 0 THEN 'expired' ELSE 'sent' END AS state,
                   CASE WHEN k < 50000 THEN 'notice' WHEN n % 9999 = 0 THEN 'account_deleted'
                        WHEN n % 3 = 0 THEN 'confirm' WHEN n % 3 = 1 THEN 'sign_up' ELSE 'reset' END AS kind
              FROM (SELECT n, (n - 1) % 75000 AS k,
                           now() - interval '90 days 3 hours' + (n - 1) / 75000 * interval '7.5 days' AS begins
                      FROM generate_series(1, 900000) AS n) AS numbered) AS made
  ORDER BY n
"""

# Two updates of one notice: the first went, the second is going just now, with some that wait for another try.
BODIES = """
    INSERT INTO mail_bodies (id, content) SELECT n, repeat('x', 2000)::bytea FROM generate_series(1, 2) AS n;
    SELECT setval(pg_get_serial_sequence('mail_bodies', 'id'), 2);
"""
LATELY = """
    INSERT INTO outbox (state, kind, priority, sender, recipient, subject, message_id, head, body_id, attempts,
                        due_at, created_at, first_try_at, done_at)
    SELECT state, 'notice', 9, 'us@example.org', 'reader-' || n % 50000 || '@host-' || n % 50000 % 97 || '.example',
           'Mail is late: we go on with it', '<lately-' || n || '@example.org>', repeat('h', 250)::bytea,
           1 + n / 50000, CASE WHEN state = 'queued' AND n % 20 = 0 THEN 1 ELSE 0 END, at, at,
           CASE WHEN state = 'sent' OR n % 20 = 0 THEN at END,
           CASE WHEN state = 'sent' THEN at + (n % 50000) * interval '2 milliseconds' END
      FROM (SELECT n, now() - CASE WHEN n < 50000 THEN interval '3 hours' ELSE interval '4 minutes' END AS at,
                   CASE WHEN n < 70000 THEN 'sent' ELSE 'queued' END AS state
              FROM generate_series(0, 99999) AS n) AS made
  ORDER BY n
"""
ATTEMPTS = """
    INSERT INTO mail_attempts (mail_id, at, mailer, stage, scope, code, reason, milliseconds)
    SELECT id, created_at + again * interval '10 minutes', 1, 'RCPT', 'mail', 450,
           'RCPT: 450 4.2.0 <' || recipient || '>: Recipient address rejected: Greylisted, try again later', 120
      FROM outbox, generate_series(1, attempts) AS again
     WHERE attempts > 0
"""
SUPPRESSIONS = """
    INSERT INTO mail_suppressions (address, scope, reason)
    SELECT 'reader-' || n || '@host-' || n % 97 || '.example', CASE WHEN n % 2 = 0 THEN '*' ELSE 'notice' END,
           'they unsubscribed by the link in a mail'
      FROM generate_series(40000, 139999) AS n
"""
GATES = """
    INSERT INTO mail_gates (name, cause, reason) VALUES
        ('pause:digest', 'operator', 'until its text is mended'),
        ('pause:notice', 'operator', 'while the relay is moved')
"""
MAIL = (BEFORE, BODIES, LATELY, ATTEMPTS, SUPPRESSIONS, GATES)
