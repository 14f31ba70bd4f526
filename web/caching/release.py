"""Which code made a page: one of another release may link static files that are no longer there."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent


@cache
def fingerprint() -> str:
    """Return a hash of this package: its code, templates and static files."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
