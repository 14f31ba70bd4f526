"""What an operator wants to tell, and what is wrong with it. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from web.notices.states import INCIDENT, KINDS, MAINTENANCE, PARTS, concerned

LONGEST_TITLE = 120
LONGEST_WORDS = 5_000  # of the widest characters, a form with as many is still taken
FARTHEST = timedelta(days=366)
LONGEST = timedelta(days=30)

# All that XML 1.0 can't hold, and so no feed; PostgreSQL and mail refuse some of it, too.
UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A notice as it was filled in; the hours are a maintenance's alone."""

    kind: str = INCIDENT
    title: str = ""
    words: str = ""
    parts: Sequence[str] = ()
    begins_at: datetime | None = None
    ends_at: datetime | None = None


def version(draft: Draft) -> str:
    """Return what tells this draft from one that somebody has changed."""
    hours = [at and at.astimezone(UTC).isoformat() for at in (draft.begins_at, draft.ends_at)]
    told = [draft.kind, draft.title, draft.words, *concerned(draft.parts), *hours]
    return sha256(json.dumps(told).encode()).hexdigest()[:16]


def problems(draft: Draft, now: datetime) -> dict[str, str]:
    """Return what is wrong, by the field's name; nothing where it can be published now."""
    found = problems_of_hours(draft, now) | problems_of_words(draft.words)
    if draft.kind not in KINDS:
        found["kind"] = "Please choose what it is."
    if not draft.title:
        found["title"] = "Please give it a title."
    elif len(draft.title) > LONGEST_TITLE:
        found["title"] = f"It has {len(draft.title)} characters; at most {LONGEST_TITLE}, please."
    if set(draft.parts) - set(PARTS):
        found["parts"] = f"There are these parts: {', '.join(PARTS)}."
    return found


def problems_of_words(words: str) -> dict[str, str]:
    """Return what is wrong with the words of a notice, or of an update."""
    if not words:
        return {"words": "Please write what people should know."}
    if len(words) > LONGEST_WORDS:
        return {"words": f"It has {len(words)} characters; at most {LONGEST_WORDS}, please."}
    return {}


def problems_of_hours(draft: Draft, now: datetime) -> dict[str, str]:
    """Return what is wrong with when it begins and ends."""
    begins_at, ends_at = draft.begins_at, draft.ends_at
    if draft.kind != MAINTENANCE:
        given = {"begins_at": begins_at, "ends_at": ends_at}
        none = "Only maintenance has hours: leave this empty, or choose maintenance."
        return {name: none for name, value in given.items() if value is not None}
    if begins_at is None or ends_at is None:
        missing = {
            "begins_at": None if begins_at else "Please say when it begins.",
            "ends_at": None if ends_at else "Please say when it ends.",
        }
        return {name: told for name, told in missing.items() if told}
    return problems_of_time(begins_at, ends_at, now)


def problems_of_time(begins_at: datetime, ends_at: datetime, now: datetime) -> dict[str, str]:
    """Return what is wrong with hours that are there."""
    if ends_at <= begins_at:
        return {"ends_at": "It ends before it begins."}
    if ends_at <= now:
        return {"ends_at": "This is over already."}
    if ends_at - begins_at > LONGEST:
        return {"ends_at": f"It takes more than {LONGEST.days} days; is the date right?"}
    if begins_at - now > FARTHEST:
        return {"begins_at": "It begins in more than a year; is the date right?"}
    return {}


def tidy(text: str) -> str:
    """Return several lines of text as they are kept: every character can be shown and mailed."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", lines)


def tidy_line(text: str) -> str:
    """Return one line of text as it is kept."""
    return " ".join(tidy(text).split())
