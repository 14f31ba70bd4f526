"""A site whose lists are full, and whose texts are as long as people can make them: as SQL for its owner."""

MAIL = """
    INSERT INTO outbox (state, kind, sender, recipient, subject, message_id, attempts, last_error, reply, done_at)
    SELECT (ARRAY['sent', 'dead', 'unsure'])[1 + n % 3], 'kind_' || n % 30, 'us@example.org',
           n || repeat('r', 250) || '@example.org', repeat('subject ', 120), '<' || n || repeat('m', 200) || '>', 8,
           repeat('said ', 100), repeat('said ', 100), now()
      FROM generate_series(1, 60) AS n;
    INSERT INTO mail_attempts (mail_id, mailer, stage, scope, code, reason, milliseconds)
    SELECT 60, 1, 'DATA', 'mail', 450, repeat('try again later ', 30), 100 FROM generate_series(1, 500) AS n;
    INSERT INTO mail_suppressions (address, scope, reason)
    SELECT n || repeat('a', 250) || '@example.org', 'kind_1', repeat('reason ', 30) FROM generate_series(1, 60) AS n;
    INSERT INTO mail_gates (name, cause, reason)
    SELECT 'pause:kind_' || n, 'operator', repeat('reason ', 30) FROM generate_series(1, 20) AS n;
    INSERT INTO mail_tallies (length, begins_at, kind, sent, half_seconds, most_seconds)
    SELECT 'hour', date_trunc('hour', now(), 'UTC') - back * interval '1 hour', kind, 12345, 1.5, 3600
      FROM generate_series(1, 23) AS back, unnest(ARRAY['*', 'kind_1', 'kind_2']) AS kind
     UNION ALL
    SELECT 'day', date_trunc('day', now(), 'UTC') - back * interval '1 day', '*', 1234567, 1.5, 3600
      FROM generate_series(1, 29) AS back;
"""
PEOPLE = """
    INSERT INTO accounts (email, role, password_hash)
    SELECT n || repeat('p', 240) || '@example.org', 'member', '' FROM generate_series(2, 60) AS n;
    INSERT INTO sign_ins (account_id, key_hash, epoch, started_at, seen_at, expires_at, address, agent)
    SELECT 1, sha256(n::text::bytea), 0, now(), now(), now() + interval '1 day', '2001:db8:85a3:0:0:8a2e:370:7334',
           repeat('agent ', 33)
      FROM generate_series(1, 60) AS n;
    INSERT INTO account_tokens (purpose, token_hash, email, created_at, expires_at, invited_by)
    SELECT 'invite', sha256(n::text::bytea), n || repeat('g', 240) || '@example.org', now(), now() + interval '1 day', 1
      FROM generate_series(1, 60) AS n;
    INSERT INTO limit_breaches (minute, route, rule, who, address, request_id, times)
    SELECT date_trunc('minute', now()), 'console.notice_updates.route_' || n % 30,
           'a rule of the site, number ' || n % 9, n || repeat('w', 200), '2001:db8:85a3:0:0:8a2e:370:7334', 'r', 123456
      FROM generate_series(1, 100) AS n;
    INSERT INTO audit_entries (at, account_id, email, address, action, subject, detail, request_id)
    SELECT now(), 1, repeat('p', 240) || '@example.org', '2001:db8:85a3:0:0:8a2e:370:7334', 'mail.suppress',
           repeat('s', 320), jsonb_build_object('reason', repeat('reason ', 36), 'scope', 'kind_1'), md5(n::text)
      FROM generate_series(1, 60) AS n;
"""

# One notice has been going on for long; of the others many are open.
NOTICES = """
    INSERT INTO notices (kind, title, parts, begins_at, ends_at, created_at, published_at, resolved_at)
    SELECT 'maintenance', repeat('t', 120), '{Website,Edge,Database,Mail,Backup,Sessions}', now(), now(), now(), now(),
           CASE WHEN n % 2 = 0 THEN now() END
      FROM generate_series(1, 60) AS n;
    INSERT INTO notices (kind, title, created_at) VALUES ('incident', repeat('t', 120), now());
    INSERT INTO notice_updates (notice_id, state, words, written_at)
    SELECT n, 'monitoring', repeat('w', 4990) || E'\n\nhttps://example.org/', now() FROM generate_series(1, 61) AS n;
    INSERT INTO notice_updates (notice_id, state, words, written_at)
    SELECT 59, 'monitoring', repeat('words ', 833), now() FROM generate_series(1, 40) AS n;
"""
MEASURED = """
    INSERT INTO probe_days (part, day, up, degraded, down)
    SELECT part, current_date - back, 1234, 56, 78
      FROM unnest(ARRAY['Website', 'Edge', 'Database', 'Mail', 'Backup', 'Sessions']) AS part,
           generate_series(1, 100) AS back;
"""
BACKUPS = """
    INSERT INTO backups (id, kind, state, started_at, finished_at, bytes, bytes_stored, tables, steps, copies, reason)
    SELECT '20260101-' || lpad(n::text, 6, '0'), 'logical', 'failed', now(), now(), 123456789, 123456789,
           (SELECT jsonb_object_agg('a_table_with_a_long_name_' || t, 123456789) FROM generate_series(1, 100) AS t),
           '{"dump": 1.5, "restore": 1.5, "compare": 1.5}', jsonb_build_object('local', now(), 's3', now()),
           repeat('reason ', 300)
      FROM generate_series(1, 60) AS n;
    INSERT INTO backup_drills (id, kind, target, started_at, finished_at, passed, detail)
    SELECT '20260101-' || lpad(n::text, 6, '0') || '-read', 'read', 's3', now(), now(), false, repeat('detail ', 300)
      FROM generate_series(1, 60) AS n;
    INSERT INTO backup_targets (name, location, off_site, seen_at, trouble, bytes, bytes_limit)
    SELECT 'target_' || n, repeat('location/', 20), true, now(), repeat('trouble ', 60), 123456789, 123456789
      FROM generate_series(1, 4) AS n;
    INSERT INTO backup_sizes (target, day, bytes)
    SELECT 'target_' || n, current_date - back, 123456789 + back * 1234567
      FROM generate_series(1, 4) AS n, generate_series(0, 364) AS back;
"""
JOBS = """
    INSERT INTO jobs (id, part, verb, state, ended_at, answer)
    SELECT 1, 'backup', 'schema-log', 'done', now(),
           jsonb_agg(jsonb_build_object('commit', repeat('c', 40), 'at', now(), 'message', repeat('m', 80)))
      FROM generate_series(1, 1000) AS n;
    INSERT INTO jobs (id, part, verb, state, ended_at, answer)
    VALUES (2, 'backup', 'schema-diff', 'done', now(),
            jsonb_build_object('same', false, 'patch', repeat(E'+    a_column text NOT NULL,\n', 10000)));
"""
FULL = (MAIL, PEOPLE, NOTICES, MEASURED, BACKUPS, JOBS)
