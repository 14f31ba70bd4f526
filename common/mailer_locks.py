"""The advisory lock by which a mailer proves that it lives, under its number in the table `mailers`.

PostgreSQL lets go of it within milliseconds of the end of the mailer's connection.
"""

MAILER_LOCKS = 0x6D61696C  # any number, the same for all
IS_HELD = """
    EXISTS (SELECT FROM pg_locks l
             WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
               AND l.classid = {locks} AND l.objid = CAST({number} AS oid)
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


def is_held(number: str) -> str:
    """Return the SQL that says whether a mailer holds its lock just now; `number` is SQL for whose."""
    return IS_HELD.format(locks=MAILER_LOCKS, number=number)
