"""The people of that year: accounts, where they are signed in, invitations, readers, who met a rate limit.

The account with the number 1 is the operator that looks at the pages.
"""

ACCOUNTS = """
    INSERT INTO accounts (email, role, password_hash, created_at, locked_at)
    SELECT 'person-' || n || '@host-' || n % 97 || '.example',
           CASE WHEN n % 25000 = 0 THEN 'operator' ELSE 'member' END, '$argon2id$' || repeat('h', 87),
           now() - interval '365 days' * (1 - n / 100000.0), CASE WHEN n % 1000 = 0 THEN now() END
      FROM generate_series(1, 100000) AS n;
    UPDATE accounts SET role = 'operator' WHERE id = 1;
"""

# Some people have one browser, some have several; one has a hundred.
SIGN_INS = """
    INSERT INTO sign_ins (account_id, key_hash, epoch, started_at, seen_at, expires_at, address, agent)
    SELECT CASE WHEN n % 1000 = 0 THEN 2 ELSE 3 + n % 40000 END, sha256(n::text::bytea), 0,
           now() - interval '30 days' * random(), now() - interval '1 day' * random(),
           now() + interval '30 days' * random(), '203.0.113.' || n % 256,
           'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
      FROM generate_series(1, 100000) AS n
"""
INVITATIONS = """
    INSERT INTO account_tokens (purpose, token_hash, email, account_id, created_at, expires_at, used_at, invited_by)
    SELECT CASE WHEN n % 40 = 0 THEN 'invite' ELSE 'reset' END, sha256(n::text::bytea),
           'guest-' || n || '@host.example', CASE WHEN n % 40 > 0 THEN n END, now() - interval '1 hour',
           now() + interval '3 days', CASE WHEN n % 80 = 0 THEN now() END, CASE WHEN n % 40 = 0 THEN 1 END
      FROM generate_series(1, 20000) AS n
"""
READERS = """
    INSERT INTO subscribers (email, state, token_hash, token_expires_at)
    SELECT 'reader-' || n || '@host-' || n % 97 || '.example', 'confirmed', sha256(n::text::bytea), now()
      FROM generate_series(0, 49999) AS n
"""

# A month, as they are kept: now and then one, and a thousand clients that pressed hard within the last day.
BREACHES = """
    INSERT INTO limit_breaches (minute, route, rule, who, address, request_id, times)
    SELECT date_trunc('minute', now()) - interval '1 minute' * n, 'sign_in.submit', 'sign-in by address',
           '203.0.113.' || n % 256, '203.0.113.' || n % 256, md5(n::text), 1 + n % 9
      FROM generate_series(1, 43000) AS n;
    INSERT INTO limit_breaches (minute, route, rule, who, address, request_id, times)
    SELECT date_trunc('minute', now()) - interval '1 minute' * (n % 20), 'status.show', 'site',
           'client-' || n % 1000, '203.0.113.' || n % 256, md5(n::text), 1 + n % 99
      FROM generate_series(1, 20000) AS n
    ON CONFLICT DO NOTHING;
"""
PEOPLE = (ACCOUNTS, SIGN_INS, INVITATIONS, READERS, BREACHES)
