"""What verifies the relay's certificate."""

import ssl
from pathlib import Path


def tls_context(authorities: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities, and those of the file.

    Checks the host's name as well. Raises OSError for a file that can't be read or holds none.
    """
    context = ssl.create_default_context()
    if authorities is not None:
        context.load_verify_locations(authorities)
    return context
