"""A mail server that others wrote, in a container: the account, its address, and the mail it kept."""

import io
import re
import socket
import ssl
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from testcontainers.core.container import DockerContainer

from mailer.smtp.connection import RelayConnection
from mailer.smtp.credentials import Credentials
from mailer.smtp.relay import Relay
from mailer.smtp.tls import tls_context
from tests.stack.smtp.certificates import make_certificate
from tests.waiting import eventually

USER, PASSWORD = "tester", "correct-horse"
RECIPIENT = "alice@example.org"
MAILDIR = "/mail/alice"
REFUSED_LOGIN = re.compile(
    rb"SASL \w+ authentication failed|authentication user=\w+ result=permfail"
)


class Peer:
    """One running server. It takes mail from its account, and keeps what is for RECIPIENT."""

    def __init__(self, container: DockerContainer, authority: Path) -> None:
        self._container = container
        self._authority = authority
        self.port = int(container.get_exposed_port(587))

    def connection(
        self, password: str = PASSWORD, authority: bytes | None = None
    ) -> RelayConnection:
        """Return a connection of the mailer's to it, not yet open; it trusts the peer's authority."""
        context = tls_context(self._authority)
        if authority is not None:
            context = ssl.create_default_context(cadata=authority.decode())
        relay = Relay(
            server="localhost",
            port=self.port,
            starttls=True,
            tls_at_once=False,
            timeout_seconds=30,
            context=context,
        )
        return RelayConnection(relay, lambda: Credentials(USER, SecretStr(password)))

    def the_mail(self) -> bytes:
        """Wait for the one mail in the mailbox; return it as RFC 5322 has it, with CRLF."""
        eventually(lambda: len(self._mails()) == 1, what="the peer has delivered the mail")
        (stored,) = self._mails()
        return stored.replace(b"\n", b"\r\n")

    def empty_mailbox(self) -> None:
        """Forget the mail so far."""
        self._container.exec(["sh", "-c", f"rm -f {MAILDIR}/new/*"])

    def refused_logins(self) -> int:
        """Return how many logins it has refused since it was started."""
        log = b"".join(self._container.get_logs())
        return len(REFUSED_LOGIN.findall(log))

    def answers(self) -> bool:
        """Say whether it greets."""
        try:
            with closing(socket.create_connection(("localhost", self.port), timeout=2)) as probe:
                return probe.recv(3) == b"220"
        except OSError:
            return False

    def _mails(self) -> list[bytes]:
        listed = self._container.exec(["sh", "-c", f"ls {MAILDIR}/new 2>/dev/null | wc -l"])
        if listed.output.strip() == b"0":
            return []
        return files_of(self._container.get_wrapped_container(), f"{MAILDIR}/new")


def files_of(container: Any, folder: str) -> list[bytes]:
    """Return the content of each file in a container's folder."""
    chunks, _ = container.get_archive(folder)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        opened = [archive.extractfile(member) for member in archive if member.isfile()]
        return [file.read() for file in opened if file is not None]


@contextmanager
def running_peer(name: str, folder: Path) -> Iterator[Peer]:
    """Run `postfix` or `opensmtpd`, with a certificate for localhost whose authority is in `folder`."""
    certificate = make_certificate(folder, "localhost")
    container = (
        DockerContainer(f"keelson-test-{name}:test")
        .with_exposed_ports(587)
        .with_env("SMTP_USER", USER)
        .with_env("SMTP_PASSWORD", PASSWORD)
        .with_volume_mapping(str(folder), "/tls", "ro")
    )
    container.start()
    try:
        peer = Peer(container, certificate.authority)
        eventually(peer.answers, what=f"{name} answers")
        yield peer
    finally:
        container.stop()
