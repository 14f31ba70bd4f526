"""The backups that there are, for people and for programs."""

import json
from collections.abc import Sequence

from backup.manifest import Manifest

KILO = 1000
HEADER = f"{'ID':<15}  {'STARTED (UTC)':<19}  {'SIZE':>9}  {'TABLES':>6}  {'ROWS':>10}"


def as_text(proven: Sequence[Manifest]) -> str:
    """Return a table, newest first."""
    if not proven:
        return "there is no proven backup yet"
    return "\n".join([HEADER, *map(_line, reversed(proven))])


def as_json(proven: Sequence[Manifest]) -> str:
    """Return an array of objects, newest first."""
    fields = {"id", "state", "started_at", "finished_at", "bytes", "sha256"}
    objects = [
        manifest.model_dump(mode="json", include=fields)
        | {"tables": len(manifest.fingerprint.tables), "rows": manifest.rows}
        for manifest in reversed(proven)
    ]
    return json.dumps(objects, indent=1)


def size(count: int) -> str:
    """Return a number of bytes as people read it: 999 B, 1.2 MB."""
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while amount >= KILO and len(units) > 1:
        amount, units = amount / KILO, units[1:]
    return f"{amount:.1f} {units[0]}" if units[0] != "B" else f"{count} B"


def sentence(manifest: Manifest) -> str:
    """Return one backup in one line."""
    tables = len(manifest.fingerprint.tables)
    return f"{manifest.id}: {tables} tables, {manifest.rows} rows, {size(manifest.bytes)}"


def _line(manifest: Manifest) -> str:
    started = f"{manifest.started_at:%Y-%m-%d %H:%M:%S}"
    tables = len(manifest.fingerprint.tables)
    return (
        f"{manifest.id:<15}  {started}  {size(manifest.bytes):>9}  {tables:>6}  {manifest.rows:>10}"
    )
