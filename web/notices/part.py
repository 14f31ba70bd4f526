"""A part of what was said in a notice: as much as a page takes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from web.models import NoticeUpdate

MOST_BYTES = 50_000  # of words, which may be 20,000 in one update


@dataclass(frozen=True, slots=True)
class Part:
    """Some updates, the newest first, and the last of them where there are older ones."""

    updates: list[NoticeUpdate]
    older: int | None


def part(updates: Sequence[NoticeUpdate], before: int | None) -> Part:
    """Return the newest of these updates, or of those before one; always one, if there is any."""
    kept: list[NoticeUpdate] = []
    room = MOST_BYTES
    for update in reversed(updates):
        if before is not None and update.id >= before:
            continue
        room -= len(update.words.encode())
        if kept and room < 0:
            return Part(kept, kept[-1].id)
        kept.append(update)
    return Part(kept, None)
