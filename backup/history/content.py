"""What of a backup may be known to whoever can read the history: no content, no role, no address. Pure."""

import json

from backup.catalogue.manifest import Manifest

SCHEMA = "schema.sql"
PLAIN = {
    "id",
    "state",
    "started_at",
    "finished_at",
    "verified_at",
    "bytes",
    "bytes_stored",
    "steps",
}


def path_of(backup_id: str) -> str:
    """Return where in the history a backup's manifest is."""
    return f"backups/{backup_id}.json"


def files(schema_sql: str, manifest: Manifest) -> dict[str, bytes]:
    """Return the files that a backup adds or changes, by their paths."""
    return {SCHEMA: schema_sql.encode(), path_of(manifest.id): redacted(manifest)}


def redacted(manifest: Manifest) -> bytes:
    """Return the manifest without roles, grants, the hashes of content, and where copies lie."""
    told = manifest.model_dump(mode="json", include=PLAIN) | {
        "database": manifest.origin.database,
        "server_version": manifest.origin.server_version,
        "schema_sha256": manifest.fingerprint.schema_sha256,
        "copies": {name: copy.stored_at.isoformat() for name, copy in manifest.copies.items()},
        "rows": {name: table.rows for name, table in manifest.fingerprint.tables.items()},
    }
    return json.dumps(told, indent=1, sort_keys=True).encode() + b"\n"


def message(manifest: Manifest, *, schema_changed: bool) -> str:
    """Return what the commit says."""
    tables = len(manifest.fingerprint.tables)
    what = "the schema changed" if schema_changed else "the schema is as it was"
    return f"{manifest.state} {manifest.id}: {what}, {tables} tables, {manifest.rows} rows"
