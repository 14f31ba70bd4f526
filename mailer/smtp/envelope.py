"""One mail as SMTP has it: its commands, and its content as that goes over the wire."""

import re
from typing import Protocol

DATA, DOT = b"DATA\r\n", b".\r\n"
_LEADING_DOT = re.compile(rb"(?m)^\.")


class MailObject(Protocol):
    """What is handed over: an envelope and a content (RFC 5321, 2.3.1)."""

    @property
    def sender(self) -> str:
        """The envelope's sender."""

    @property
    def recipient(self) -> str:
        """The envelope's only recipient."""

    @property
    def raw(self) -> bytes:
        """The finished RFC 5322 message."""


def mail_command(sender: str, raw: bytes, features: dict[str, str]) -> bytes:
    """Return MAIL, with those parameters that the relay offers; raises ValueError."""
    size = f" SIZE={len(raw)}" if "size" in features else ""
    body = " BODY=8BITMIME" if "8bitmime" in features and not raw.isascii() else ""
    return f"MAIL FROM:<{sayable(sender)}>{size}{body}\r\n".encode("ascii")


def rcpt_command(recipient: str) -> bytes:
    """Return RCPT; raises ValueError."""
    return f"RCPT TO:<{sayable(recipient)}>\r\n".encode("ascii")


def sayable(address: str) -> str:
    """Return the address as it is; raises ValueError for one that would end its command, or UTF-8.

    smtplib guesses what an odd address means, and so may send it elsewhere.
    """
    if address.isascii() and address.isprintable() and "<" not in address and ">" not in address:
        return address
    raise ValueError("an address that no command can hold: outside of ASCII, or a line break")


def with_dots_doubled(raw: bytes) -> bytes:
    """Return the content as it goes over the wire, its last line ended (RFC 5321, 4.5.2)."""
    if b"\n." in raw or raw.startswith(b"."):
        raw = _LEADING_DOT.sub(b"..", raw)
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"
