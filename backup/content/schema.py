"""All definitions of a database as text that is the same as long as they are: tables, rules, owners, grants."""

import hashlib
import tempfile
from pathlib import Path

from sqlalchemy.engine import URL

from backup.postgres import programs, sessions

# pg_dump writes a random key into each dump's \restrict unless it is given one.
OPTIONS = ["--schema-only", "--restrict-key=keelson", "--no-password"]
PATIENCE = f"--lock-wait-timeout={sessions.TABLE_SECONDS}s"
VERSIONS = (b"-- Dumped from database version", b"-- Dumped by pg_dump version")


def read(url: URL, snapshot: str | None = None) -> str:
    """Return the definitions, as that snapshot or the moment has them."""
    seen = [f"--snapshot={snapshot}"] if snapshot else []
    database = ["--dbname", programs.conninfo(url)]
    with tempfile.TemporaryFile() as out:
        programs.run(
            "pg_dump", *OPTIONS, PATIENCE, *seen, *database, password=url.password, output=out
        )
        out.seek(0)
        lines = [line for line in out if not line.startswith(VERSIONS)]
    return b"".join(lines).decode()


def reloaded(url: URL, definitions: Path) -> str:
    """Return definitions as they read once loaded into another database of that server, one of our own.

    PostgreSQL writes some expressions otherwise once it has read its own text (a list of varchars), and
    later versions write some otherwise than earlier ones. Where the text of a restored database differs
    from the source's, this tells such a difference from a loss.
    """
    again = url.set(database="reloaded")
    maintenance = ["--dbname", programs.conninfo(url), "--no-password", "--no-psqlrc", "--quiet"]
    make = "CREATE DATABASE reloaded TEMPLATE template0"
    programs.run("psql", *maintenance, "--command", make, password=url.password)
    return loaded(again, definitions)


def loaded(empty: URL, definitions: Path) -> str:
    """Load definitions into an empty database, and return them as they read there."""
    there = ["--dbname", programs.conninfo(empty), "--no-password", "--no-psqlrc", "--quiet"]
    strictly = ["--set=ON_ERROR_STOP=1", f"--file={definitions}"]
    programs.run("psql", *there, *strictly, password=empty.password)
    return read(empty)


def sha256(definitions: str) -> str:
    """Return by what they are compared."""
    return hashlib.sha256(definitions.encode()).hexdigest()
