"""Which backups go. Pure: told what there is, and the time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from backup.manifest import Manifest


def expired(proven: Sequence[Manifest], now: datetime, keep: timedelta) -> list[str]:
    """Return the ids of those that are older than `keep`, oldest first; the newest never goes.

    So a worker whose runs have failed for a month still has the last one that is good.
    """
    oldest_first = sorted(proven, key=lambda manifest: manifest.started_at)
    return [manifest.id for manifest in oldest_first[:-1] if now - manifest.finished_at > keep]
