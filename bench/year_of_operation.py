"""The operation of that year: measurements and their days, notices, what operators did and asked for, backups.

Minutes are kept for 35 days and days for 400, as the mailer does.
"""

PROBES = """
    INSERT INTO probes (part, minute, state)
    SELECT part, minute, CASE WHEN extract(epoch FROM minute)::bigint / 60 % 997 = 0 THEN 'degraded' ELSE 'up' END
      FROM unnest(ARRAY['Website', 'Edge', 'Database', 'Mail', 'Backup', 'Sessions']) AS part,
           generate_series(date_trunc('minute', now()) - interval '35 days', now(), interval '1 minute') AS minute
"""
PROBE_DAYS = """
    INSERT INTO probe_days (part, day, up, degraded, down)
    SELECT part, current_date - back, 1440 - back % 7 * 3, back % 7, back % 7 * 2
      FROM unnest(ARRAY['Website', 'Edge', 'Database', 'Mail', 'Backup', 'Sessions']) AS part,
           generate_series(0, 400) AS back
"""
NOTICES = """
    INSERT INTO notices (kind, title, parts, begins_at, ends_at, created_at, published_at, resolved_at)
    SELECT CASE WHEN n % 2 = 0 THEN 'maintenance' ELSE 'incident' END, 'Mail is late, number ' || n, '{Mail,Database}',
           CASE WHEN n % 2 = 0 THEN at END, CASE WHEN n % 2 = 0 THEN at + interval '2 hours' END, at,
           CASE WHEN n % 40 > 0 THEN at END, CASE WHEN n % 40 > 0 AND n < 198 THEN at + interval '1 day' END
      FROM (SELECT n, now() - interval '365 days' * (1 - n / 200.0) AS at FROM generate_series(1, 199) AS n) AS made
"""

# The newest notice has the two updates whose mails are there still.
UPDATES = """
    INSERT INTO notice_updates (notice_id, state, words, written_at, body_id)
    SELECT id, CASE WHEN step = 4 AND resolved_at IS NOT NULL THEN 'resolved' ELSE 'monitoring' END,
           repeat('We have found why mail is late, and are at work on it. ', 12), created_at + step * interval '1 hour',
           CASE WHEN id = 199 AND step > 2 THEN step - 2 END
      FROM notices, generate_series(1, 4) AS step
  ORDER BY id, step
"""
AUDIT = """
    INSERT INTO audit_entries (at, account_id, email, address, action, subject, detail, request_id)
    SELECT now() - interval '365 days' * (1 - n / 100000.0), 1,
           CASE n % 3 WHEN 0 THEN 'ada' ELSE 'grace' END || '@example.org', '203.0.113.' || n % 256,
           (ARRAY['mail.retry', 'mail.cancel', 'account.role', 'notice.publish', 'limit.clear'])[1 + n % 5],
           'mail ' || n, '{"ids": [1, 2, 3]}', md5(n::text)
      FROM generate_series(1, 100000) AS n
"""
JOBS = """
    INSERT INTO jobs (part, verb, state, asked_at, began_at, ended_at, steps, answer)
    SELECT CASE WHEN n % 2 = 0 THEN 'mailer' ELSE 'backup' END, CASE WHEN n % 2 = 0 THEN 'retry' ELSE 'take' END,
           'done', at, at, at, '[{"said": "begun", "ok": true}, {"said": "done", "ok": true}]', '{"mails": 1}'
      FROM (SELECT n, now() - interval '365 days' * (1 - n / 20000.0) AS at
              FROM generate_series(1, 20000) AS n) AS made;
    INSERT INTO jobs (part, verb, state, ended_at, answer)
    SELECT 'backup', 'schema-log', 'done', now(),
           jsonb_agg(jsonb_build_object('commit', md5(n::text), 'at', now(), 'message', 'schema after 0006'))
      FROM generate_series(1, 50) AS n;
    INSERT INTO jobs (part, verb, arguments, state, ended_at, answer)
    SELECT 'mailer', 'preview', '{"id": 999990}', 'done', now(),
           jsonb_build_object('headers', '[["Subject", "hello"]]'::jsonb, 'text', repeat('Some words. ', 400),
                              'html', '<p>' || repeat('Some words. ', 400) || '</p>');
"""
BACKUPS = """
    INSERT INTO backups (id, kind, state, started_at, finished_at, verified_at, bytes, bytes_stored, tables, steps,
                         copies)
    SELECT to_char(at, 'YYYYMMDD-HH24MISS'), kind, CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'proven' END, at,
           at + interval '2 minutes', at + interval '3 minutes', 2000000000, 50000000,
           (SELECT jsonb_object_agg('table_' || t, t * 1000) FROM generate_series(1, 25) AS t),
           '{"dump": 11.2, "restore": 20.5, "compare": 8.1}', jsonb_build_object('local', at, 's3', at, 'sftp', at)
      FROM (SELECT n, 'logical' AS kind, now() - n * interval '1 day' AS at FROM generate_series(0, 364) AS n
             UNION ALL
            SELECT n, 'base', now() - interval '1 hour' - n * interval '7 days'
              FROM generate_series(0, 51) AS n) AS made;
    INSERT INTO backup_drills (id, kind, target, started_at, finished_at, passed, detail)
    SELECT to_char(at, 'YYYYMMDD-HH24MISS') || '-read', 'read', 's3', at, at + interval '1 minute', true,
           'all of it read anew'
      FROM (SELECT now() - n * interval '1 day' AS at FROM generate_series(0, 364) AS n) AS made;
"""
STORES = """
    INSERT INTO backup_targets (name, location, off_site, seen_at, bytes, bytes_limit,
                                recoverable_from, recoverable_until)
    SELECT name, '/' || name, name <> 'local', now(), 40000000000, 100000000000, now() - interval '60 days', now()
      FROM unnest(ARRAY['local', 's3', 'sftp']) AS name;
    INSERT INTO backup_sizes (target, day, bytes)
    SELECT name, current_date - n, 40000000000 - n * 50000000::bigint
      FROM unnest(ARRAY['local', 's3', 'sftp']) AS name, generate_series(0, 364) AS n;
    INSERT INTO backup_plans (verb, next_at) VALUES ('take', now() + interval '1 hour'), ('drill', now());
"""

# Nobody beats while the pages are measured, so this is from a little later.
BEATS = """
    INSERT INTO heartbeats (part, beat_at)
    VALUES ('mailer', now() + interval '1 hour'), ('backup', now() + interval '1 hour')
"""
OPERATION = (PROBES, PROBE_DAYS, NOTICES, UPDATES, AUDIT, JOBS, BACKUPS, STORES, BEATS)
