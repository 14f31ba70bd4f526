"""The server in its container: SMTP on 587, control on 8025.

SMTP_HOSTNAME     the name in its certificate
SMTP_USER         the account that may send
SMTP_PASSWORD     its password
SMTP_CA_FOLDER    where smtp-ca.crt goes, the authority that vouches for the certificate
"""

import os
import shutil
import sys
from pathlib import Path

from tests.stack.smtp.certificates import Certificate, make_certificate
from tests.stack.smtp.control import control_server
from tests.stack.smtp.server import SmtpServer

SMTP_PORT, CONTROL_PORT = 587, 8025
EVERYWHERE = "0.0.0.0"  # noqa: S104 a container of the tests', on networks of the tests'


def main() -> int:
    """Serve until ended."""
    certificate = published_certificate(Path(os.environ["SMTP_CA_FOLDER"]))
    account = (os.environ["SMTP_USER"], os.environ["SMTP_PASSWORD"])
    with SmtpServer(certificate, account, host=EVERYWHERE, port=SMTP_PORT) as server:
        control_server(server.state, EVERYWHERE, CONTROL_PORT).serve_forever()
    return os.EX_OK


def published_certificate(folder: Path) -> Certificate:
    """Return our certificate; its authority is where the mailer finds it, each time the same."""
    private = folder / "private"  # on the volume too: the mailer reads the authority only once
    private.mkdir(mode=0o700, exist_ok=True)
    certificate = make_certificate(private, os.environ["SMTP_HOSTNAME"])
    shutil.copyfile(certificate.authority, folder / ".smtp-ca.crt.partial")
    (folder / ".smtp-ca.crt.partial").replace(folder / "smtp-ca.crt")
    return certificate


if __name__ == "__main__":
    sys.exit(main())
