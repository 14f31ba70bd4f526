"""The proof of a dump: restored into a server of our own, owners, grants and all, and read back."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from backup import fingerprint, programs, scratch
from backup.errors import DamagedError
from backup.folder import Folder
from backup.manifest import Fingerprint, Manifest

SHOWN = 5


def restored(dump: Path, roles: Sequence[str], folder: Folder) -> Fingerprint:
    """Restore a dump into a scratch server, and return the fingerprint of what is then there."""
    with scratch.server(folder.scratch) as url, scratch.open_engine(url).connect() as connection:
        _make_roles(connection, roles)
        load(dump, url)
        return fingerprint.read(connection)


def load(dump: Path, url: URL) -> None:
    """Restore a dump into an empty database; the first error ends it with a ProgramError."""
    target = ["--dbname", programs.conninfo(url), "--no-password"]
    programs.run("pg_restore", "--exit-on-error", *target, str(dump), password=url.password)


def require_equal(expected: Fingerprint, found: Fingerprint, what: str) -> None:
    """Raise a DamagedError that names what differs, if anything does."""
    different = fingerprint.differences(expected, found)
    if different:
        shown = "; ".join(different[:SHOWN])
        message = (
            f"{what} is not what was dumped: {shown} ({len(different)} differences); do not use it"
        )
        raise DamagedError(message)


def verify(manifest: Manifest, folder: Folder) -> None:
    """Prove an existing backup again, or raise a BackupError; needs no database but its own."""
    with folder.claimed():
        folder.check(manifest)
        found = restored(folder.dump(manifest.id), manifest.origin.roles, folder)
        require_equal(manifest.fingerprint, found, f"the backup {manifest.id}, restored,")


def _make_roles(connection: Connection, roles: Sequence[str]) -> None:
    """Create what owns the tables and is granted something; `postgres` is there already."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    for role in roles:
        if role != "postgres":
            connection.exec_driver_sql(f"CREATE ROLE {quote(role)}")
    connection.commit()
