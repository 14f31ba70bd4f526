"""Manifests and settings of the backup worker, as tests need them."""

from datetime import UTC, datetime
from typing import Literal

from backup.catalogue.manifest import Copy, Fingerprint, Grant, Manifest, Origin, Table, id_of
from backup.settings import Settings

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
URL = "postgresql://keelson_backup:s3cret@db/keelson?sslmode=verify-full&sslrootcert=/ca.crt"


def some_settings(**given: object) -> Settings:
    """Return complete settings; `given` changes them."""
    return Settings.read(**{"database_url": URL, "backup_repository_key": "key", **given})


def a_manifest(
    at: datetime = NOON, state: Literal["stored", "proven"] = "proven", rows: int = 3
) -> Manifest:
    """Return a backup that was taken then."""
    return Manifest(
        id=id_of(at),
        state=state,
        started_at=at,
        finished_at=at,
        bytes=1000,
        bytes_stored=100,
        steps={"dump": 1.5},
        copies={"sftp": Copy(snapshot="5nap5h0t", stored_at=at)},
        origin=Origin(
            database="keelson",
            server_version="17.6",
            roles=["ada_the_dba"],
            grants=[Grant(role="ada_the_dba", privilege="CONNECT")],
        ),
        fingerprint=Fingerprint(
            tables={"public.people": Table(rows=rows, hashes="4711")},
            sequences={"public.people_id_seq": 815},
            schema_sha256="5c4e3a",
        ),
    )
