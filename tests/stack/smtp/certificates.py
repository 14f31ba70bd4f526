"""A certificate authority of the test's own, and a server certificate from it, made by openssl."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
REQUEST = ["req", "-x509", *KEY]
AUTHORITY = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"]
SERVER = ["-addext", "basicConstraints=critical,CA:FALSE"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a server's certificate, and of the authority that vouches for it."""

    authority: Path
    certificate: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        """Return what a server shows the certificate with."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificate(folder: Path, host_name: str) -> Certificate:
    """Return the certificate in `folder`; it is made, with an authority, the first time."""
    made = Certificate(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    if made.certificate.exists():
        return made
    ca_key = folder / "ca.key"
    subject = ["-subj", "/CN=authority of the mail tests"]
    _openssl(*REQUEST, *AUTHORITY, *subject, "-keyout", ca_key, "-out", made.authority)
    subject = ["-subj", f"/CN={host_name}", "-addext", f"subjectAltName=DNS:{host_name}"]
    signed = ["-CA", made.authority, "-CAkey", ca_key, *SERVER]
    _openssl(*REQUEST, *signed, *subject, "-keyout", made.key, "-out", made.certificate)
    return made


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True)
