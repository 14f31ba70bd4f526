"""Which files of the session folder are of no more use; web writes them with cachelib."""

import re
import struct
from enum import StrEnum

EXPIRY = struct.Struct("I")  # each session file begins with it: seconds since 1970, 0 for never
GRACE_SECONDS = 120.0  # longer than edge waits for a request, and than small steps of the clock
ABANDONED_SECONDS = 3600.0  # no writer takes that long; it was killed, or the machine went down
SESSION_NAME = re.compile(r"[0-9a-f]{64}")  # the SHA-256 of the session's key
UNFINISHED_SUFFIX = ".__wz_cache"  # written aside, before it takes the place of the session's file


class Fate(StrEnum):
    """What is to become of a file."""

    KEEP = "keep"
    EXPIRED = "expired"
    ABANDONED = "abandoned"


def fate_of_session(head: bytes, age_seconds: float, now: float) -> Fate:
    """Return what becomes of a session's file that begins with `head`.

    What web would still accept is kept, and for a while what it would not. A file that is too short
    to say when it expires is no session to web.
    """
    if len(head) < EXPIRY.size:
        return fate_of_unfinished(age_seconds)
    (expires_at,) = EXPIRY.unpack(head)
    never = expires_at == 0
    return Fate.KEEP if never or expires_at + GRACE_SECONDS >= now else Fate.EXPIRED


def fate_of_unfinished(age_seconds: float) -> Fate:
    """Return what becomes of a file whose writing was begun so long ago."""
    return Fate.ABANDONED if age_seconds > ABANDONED_SECONDS else Fate.KEEP
