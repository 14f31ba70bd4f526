"""What verifies the relay's certificate, and what came of it."""

import socket
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


def described(sock: socket.socket | None) -> str:
    """Return version, cipher and the certificate's subject and end; empty without TLS."""
    if not isinstance(sock, ssl.SSLSocket):
        return ""
    certificate, cipher = sock.getpeercert() or {}, sock.cipher()
    subject: object = certificate.get("subject", ())
    names = ", ".join("=".join(pair) for part in subject for pair in part)  # type: ignore[attr-defined]
    until = certificate.get("notAfter", "")
    return f"{sock.version()} {cipher[0] if cipher else ''}, certificate of {names}, good until {until}"
