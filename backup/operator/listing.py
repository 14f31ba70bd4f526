"""The backups that there are, for people and for programs."""

import os
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Manifest
from backup.operator.answers import answer, verb
from backup.settings import Settings

KILO = 1000
HEADER = f"{'ID':<15}  {'STARTED (UTC)':<19}  {'STATE':<7} {'SIZE':>9}  {'TABLES':>6}  {'ROWS':>10}  LIES AT"


def add_to(verbs: Any) -> None:
    """Add the verb."""
    verb(verbs, "list", show, "list the backups, newest first")


def show(arguments: Namespace, settings: Settings) -> int:
    """List what is stored, proven or not yet."""
    stored = Folder(settings.backup_folder).stored()
    answer(arguments, as_text(stored), [as_object(manifest) for manifest in reversed(stored)])
    return os.EX_OK


def as_text(stored: Sequence[Manifest]) -> str:
    """Return a table, newest first."""
    if not stored:
        return "there is no backup yet"
    return "\n".join([HEADER, *map(_line, reversed(stored))])


def as_object(manifest: Manifest) -> dict[str, Any]:
    """Return what a program is told of one backup."""
    fields = {
        "id",
        "state",
        "started_at",
        "finished_at",
        "verified_at",
        "bytes",
        "bytes_stored",
        "steps",
        "copies",
    }
    told = manifest.model_dump(mode="json", include=fields)
    return told | {"tables": len(manifest.fingerprint.tables), "rows": manifest.rows}


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
        f"{manifest.id:<15}  {started}  {manifest.state:<7} {size(manifest.bytes):>9}"
        f"  {tables:>6}  {manifest.rows:>10}  {' '.join(manifest.copies)}"
    )
