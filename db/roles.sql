-- The four roles and their passwords, on each start: safe to repeat, and it heals a volume whose
-- secrets were made anew. What each may do with the tables stands in migrations/.
\set owner `cat /run/keelson/db/keelson_owner.password`
\set web `cat /run/keelson/db/keelson_web.password`
\set mailer `cat /run/keelson/db/keelson_mailer.password`
\set synchronous `echo "$SYNCHRONOUS"`
\set backup `cat /run/keelson/db/keelson_backup.password`

SELECT format('CREATE ROLE %I', name)
  FROM unnest(ARRAY['keelson_owner', 'keelson_web', 'keelson_mailer', 'keelson_backup']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE keelson_owner  LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS CREATEDB PASSWORD :'owner';
ALTER ROLE keelson_web    LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS NOCREATEDB PASSWORD :'web';
ALTER ROLE keelson_mailer LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS NOCREATEDB PASSWORD :'mailer';
ALTER ROLE keelson_backup LOGIN NOSUPERUSER NOCREATEROLE REPLICATION BYPASSRLS NOCREATEDB PASSWORD :'backup';

-- A mailer that is frozen in the middle of a transaction lets go of its rows, which others may need.
ALTER ROLE keelson_mailer SET idle_in_transaction_session_timeout = '20s';

-- With BACKUP_SYNCHRONOUS a commit of theirs waits until the worker has it too; all others never do.
\if :synchronous
ALTER ROLE keelson_web SET synchronous_commit = 'remote_write';
ALTER ROLE keelson_mailer SET synchronous_commit = 'remote_write';
\else
ALTER ROLE keelson_web RESET synchronous_commit;
ALTER ROLE keelson_mailer RESET synchronous_commit;
\endif

GRANT pg_signal_backend TO keelson_owner; -- a restore ends the connections of the others
GRANT pg_read_all_data TO keelson_backup;

SELECT 'CREATE DATABASE keelson OWNER keelson_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'keelson')
\gexec

REVOKE ALL ON DATABASE keelson, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE keelson TO keelson_web, keelson_mailer, keelson_backup;
GRANT CONNECT ON DATABASE postgres TO keelson_owner; -- where it stands while it swaps databases
