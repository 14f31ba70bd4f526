-- What a site has behind it after a season, for pictures and for pages that are empty otherwise: the same at each run.

-- Ninety days of each part: most are good, some mixed, a few bad, and for two nobody measured.
INSERT INTO probe_days (part, day, up, degraded, down)
SELECT part, current_date - back,
       1440 - spoilt.degraded - spoilt.down - spoilt.missing, spoilt.degraded, spoilt.down
  FROM unnest(ARRAY['Website', 'Edge', 'Database', 'Mail', 'Backup', 'Sessions']) WITH ORDINALITY AS parts (part, place),
       generate_series(1, 89) AS back,
LATERAL (SELECT CASE WHEN (back * 7 + place * 11) % 31 = 0 THEN 40 ELSE 0 END AS degraded,
                CASE WHEN back = 23 AND place <= 3 THEN 212 WHEN (back * 5 + place * 3) % 67 = 0 THEN 3 ELSE 0 END AS down,
                CASE WHEN back = 24 THEN 300 ELSE 0 END AS missing) AS spoilt
 WHERE back NOT IN (40, 41)
    ON CONFLICT DO NOTHING;
-- And today, until now.
INSERT INTO probe_days (part, day, up)
SELECT part, (now() AT TIME ZONE 'UTC')::date, extract(epoch FROM now() - date_trunc('day', now(), 'UTC'))::integer / 60
  FROM unnest(ARRAY['Website', 'Edge', 'Database', 'Mail', 'Backup', 'Sessions']) AS parts (part)
    ON CONFLICT (part, day) DO UPDATE
   SET up = greatest(excluded.up - probe_days.degraded - probe_days.down, probe_days.up);

-- A month of mail, more of it on some days and hours than on others.
INSERT INTO mail_tallies (length, begins_at, kind, sent, half_seconds, most_seconds)
SELECT 'day', date_trunc('day', now(), 'UTC') - back * interval '1 day', '*',
       CASE WHEN back % 7 IN (2, 3) THEN 310 ELSE 980 END + (back * 37) % 90, 1.2 + back % 5 * 0.1, 5 + back % 6 * 0.4
  FROM generate_series(1, 29) AS back
 UNION ALL
SELECT 'hour', date_trunc('hour', now(), 'UTC') - back * interval '1 hour', kind,
       share * (6 + round(9 * (1 + cos((extract(hour FROM now() AT TIME ZONE 'UTC') - back - 15) * 2 * pi() / 24)))::integer
                + back * 5 % 4), 1.2 + back % 3 * 0.1, 4 + back * 5 % 7 * 0.4
  FROM generate_series(1, 23) AS back, (VALUES ('*', 3), ('confirm', 1), ('sign_up', 2)) AS kinds (kind, share)
    ON CONFLICT (length, begins_at, kind) DO UPDATE
   SET sent = excluded.sent, half_seconds = excluded.half_seconds, most_seconds = excluded.most_seconds;

-- Mail that somebody has to look at. What it said is no longer kept.
INSERT INTO outbox (state, kind, sender, recipient, subject, message_id, attempts, last_error, reply,
                    created_at, first_try_at, due_at, done_at)
VALUES ('sent', 'confirm', 'keelson@localhost', 'ada@example.org', 'Confirm your subscription', '<past-1@localhost>', 1, NULL,
        '250 2.0.0 queued as 4A1F', now() - interval '5 hours', now() - interval '5 hours', now() - interval '5 hours',
        now() - interval '5 hours'),
       ('dead', 'sign_up', 'keelson@localhost', 'nobody@example.com', 'Confirm your address', '<past-2@localhost>', 3,
        '550 5.1.1 no such user here', NULL, now() - interval '7 hours', now() - interval '7 hours', now() - interval '6 hours',
        now() - interval '6 hours'),
       ('unsure', 'reset', 'keelson@localhost', 'grace@example.net', 'Choose a new password', '<past-3@localhost>', 1,
        'the connection ended before the answer', NULL, now() - interval '3 hours', now() - interval '3 hours',
        now() - interval '3 hours', now() - interval '3 hours'),
       ('suppressed', 'notice', 'keelson@localhost', 'linus@example.org', 'Planned: database upgrade', '<past-4@localhost>', 0,
        NULL, NULL, now() - interval '2 hours', NULL, now() - interval '2 hours', now() - interval '2 hours');
INSERT INTO mail_attempts (mail_id, at, mailer, stage, scope, code, reason, milliseconds)
SELECT id, now() - tries.back, 1, tries.stage, tries.scope, tries.code, tries.reason, 240
  FROM outbox,
       (VALUES (interval '7 hours', 'connect', 'relay', NULL, 'smtp.example.com: connection timed out'),
               (interval '6 hours 30 minutes', 'rcpt', 'mail', 451, '451 4.7.1 greylisted, try again later'),
               (interval '6 hours', 'rcpt', 'mail', 550, '550 5.1.1 no such user here'))
    AS tries (back, stage, scope, code, reason)
 WHERE message_id = '<past-2@localhost>';
INSERT INTO mail_gates (name, cause, reason, since)
VALUES ('pause:email_old', 'operator', 'olga@example.org: the text is being checked', now() - interval '20 minutes')
    ON CONFLICT DO NOTHING;
INSERT INTO mail_suppressions (address, scope, reason, since)
VALUES ('nobody@example.com', '*', '550 5.1.1 no such user here', now() - interval '6 hours'),
       ('linus@example.org', 'notice', 'unsubscribed', now() - interval '12 days')
    ON CONFLICT DO NOTHING;

-- People, some signed in, and who reads notices.
INSERT INTO accounts (email, role, password_hash, created_at, locked_at)
VALUES ('ada@example.org', 'member', '', now() - interval '80 days', NULL),
       ('grace.brewster.murray.hopper@a-rather-long-name.example.net', 'operator', '', now() - interval '60 days', NULL),
       ('mallory@example.com', 'member', '', now() - interval '9 days', now() - interval '1 day')
    ON CONFLICT DO NOTHING;
INSERT INTO sign_ins (account_id, key_hash, epoch, started_at, seen_at, expires_at, address, agent)
SELECT id, sha256(convert_to(email || n, 'UTF8')), 0, now() - n * interval '5 hours', now() - n * interval '40 minutes',
       now() + interval '9 hours', '203.0.113.' || n, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
  FROM accounts, generate_series(1, 2) AS n
 WHERE email IN ('ada@example.org', 'olga@example.org')
    ON CONFLICT DO NOTHING;
INSERT INTO subscribers (email, state, token_hash, token_expires_at, confirmed_at)
SELECT 'reader' || n || '@example.org', 'confirmed', sha256(convert_to('reader' || n, 'UTF8')), now(), now() - interval '30 days'
  FROM generate_series(1, 3) AS n
    ON CONFLICT DO NOTHING;

-- Who met a limit, in the last day.
INSERT INTO limit_breaches (minute, route, rule, who, address, request_id, times)
SELECT date_trunc('minute', now()) - back * interval '53 minutes', route, rule, who, who, 'r', 3 + (back * 7) % 19
  FROM generate_series(1, 24) AS back,
       (VALUES ('sign_in.submit', 'sign-in by address', '203.0.113.77'), ('subscribe.form', 'site', '198.51.100.23'))
    AS met (route, rule, who)
 WHERE (back + length(route)) % 3 <> 0;

-- A disaster that is over, work that is planned, and a draft.
INSERT INTO notices (kind, title, parts, created_at, published_at, resolved_at, begins_at, ends_at)
VALUES ('incident', 'Nobody could sign in', '{Database,Sessions}', now() - interval '23 days', now() - interval '23 days',
        now() - interval '23 days' + interval '3 hours', NULL, NULL),
       ('maintenance', 'Database upgrade', '{Database,Website}', now() - interval '1 day', now() - interval '1 day', NULL,
        date_trunc('hour', now()) + interval '3 days', date_trunc('hour', now()) + interval '3 days 2 hours'),
       ('incident', 'Mail to example.com is late', '{Mail}', now() - interval '10 minutes', NULL, NULL, NULL, NULL);
INSERT INTO notice_updates (notice_id, state, words, written_at)
SELECT id, state, words, created_at + after
  FROM notices,
       (VALUES ('Nobody could sign in', 'investigating', 'Who signs in is told that it can''t be done just now. We are looking why.',
                interval '0'),
               ('Nobody could sign in', 'identified', 'The disk of the database is full. We are making room.', interval '40 minutes'),
               ('Nobody could sign in', 'resolved', 'There is room again, and an alert for the next time: https://example.org/disk.',
                interval '3 hours'),
               ('Database upgrade', 'planned', 'Pages will be slow for some minutes. Nothing is lost, and mail goes out afterwards.',
                interval '0'),
               ('Mail to example.com is late', 'investigating', 'Their server takes a mail a minute.', interval '0'))
    AS told (of, state, words, after)
 WHERE title = told.of;

-- What operators did.
INSERT INTO audit_entries (at, account_id, email, address, action, subject, detail, request_id)
SELECT now() - back, (SELECT id FROM accounts WHERE email = 'olga@example.org'), 'olga@example.org', '203.0.113.1', action, subject,
       detail::jsonb, 'r'
  FROM (VALUES (interval '23 days', 'notice.publish', 'notice 1', '{"mails": 3}'),
               (interval '1 day', 'account.lock', 'mallory@example.com', '{}'),
               (interval '20 minutes', 'mailer.pause', 'email_old', '{"reason": "the text is being checked"}'))
    AS acts (back, action, subject, detail);

-- A month of backups; one failed.
INSERT INTO backups (id, state, started_at, finished_at, verified_at, bytes, bytes_stored, tables, steps, copies, reason)
SELECT to_char(at, 'YYYYMMDD-HH24MISS'), CASE back WHEN 5 THEN 'failed' ELSE 'proven' END, at, at + interval '9 seconds',
       CASE WHEN back <> 5 THEN at + interval '9 seconds' END, CASE WHEN back <> 5 THEN 1800000 + (30 - back) * 21000 END,
       CASE WHEN back <> 5 THEN 90000 + back * 7919 % 40000 END,
       '{"public.outbox": 18211, "public.accounts": 412}', '{"dump": 3.1, "restore": 4.4, "compare": 1.3}',
       CASE WHEN back = 5 THEN '{}'::jsonb
            ELSE jsonb_build_object('local', at + interval '9 seconds', 'offsite', at + interval '14 seconds') END,
       CASE back WHEN 5 THEN 'no space left on the disk; free some, or set a limit by BACKUP_MAX_BYTES' END
  FROM generate_series(1, 30) AS back,
LATERAL (SELECT date_trunc('day', now(), 'UTC') - back * interval '1 day' + interval '3 hours' AS at) AS taken
    ON CONFLICT DO NOTHING;
INSERT INTO backup_targets (name, location, off_site, seen_at, bytes, bytes_limit, recoverable_from, recoverable_until)
VALUES ('offsite', 'sftp://keelson@backup.example.org/srv/keelson', true, now(), 6800000, 20000000,
        now() - interval '30 days', now() - interval '1 minute')
    ON CONFLICT DO NOTHING;
INSERT INTO backup_sizes (target, day, bytes)
SELECT target, current_date - back, 1000000 + (60 - back) * growth + (back * 7919) % 40000
  FROM generate_series(0, 59) AS back, (VALUES ('local', 110000), ('offsite', 96000)) AS places (target, growth)
    ON CONFLICT DO NOTHING;
INSERT INTO backup_drills (id, kind, target, started_at, finished_at, passed, detail)
SELECT to_char(at, 'YYYYMMDD-HH24MISS') || '-' || kind, kind, target, at, at + interval '51 seconds', passed, detail
  FROM (VALUES (1, 'instant', 'local', true, 'restored, checked and read, 25 tables, 18623 rows'),
               (8, 'read', 'offsite', true, 'part 3 of 7 was read, and is as it was written'),
               (15, 'read', 'offsite', false, 'backup.example.org: connection refused'))
    AS done (back, kind, target, passed, detail),
LATERAL (SELECT date_trunc('day', now(), 'UTC') - back * interval '1 day' + interval '5 hours' AS at) AS taken;
