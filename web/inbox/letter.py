"""One mail, read as a mail program reads it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

SOURCE_SHOWN = 60_000  # characters; the file has all of it
LINK = re.compile(r"https?://[^\s<>\"')\]]*[^\s<>\"')\].,;:!?]")
HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
OUT_OF_THE_FRAME = '<base target="_top">'  # a link opens in the window, as in a mail program


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says, in the forms that it has."""

    headers: Sequence[tuple[str, str]]
    text: str
    html: str
    attachments: Sequence[Attachment]
    source: str
    cut: bool

    @property
    def links(self) -> list[str]:
        """Return the links of its text, each once."""
        return list(dict.fromkeys(LINK.findall(self.text)))

    @property
    def framed(self) -> str:
        """Return its HTML with links that lead out of the frame."""
        found = HEAD.search(self.html)
        at = found.end() if found else 0
        return self.html[:at] + OUT_OF_THE_FRAME + self.html[at:]


def read(raw: bytes) -> Letter:
    """Return the mail that these bytes are."""
    message = message_from_bytes(raw, policy=policy.default)
    source = raw[: SOURCE_SHOWN * 4].decode("utf-8", "replace")
    return Letter(
        headers=[(name, str(value)) for name, value in message.items()],
        text=body(message, "plain"),
        html=body(message, "html"),
        attachments=[attachment(part) for part in message.iter_attachments()],
        source=source[:SOURCE_SHOWN],
        cut=len(source) > SOURCE_SHOWN,
    )


def body(message: EmailMessage, subtype: str) -> str:
    """Return its body of this kind; empty if it has none."""
    part = message.get_body((subtype,))
    return str(part.get_content()) if part else ""


def attachment(part: EmailMessage) -> Attachment:
    """Return what is shown of an attached file."""
    payload = part.get_payload(decode=True)
    size = len(payload) if isinstance(payload, bytes) else 0
    return Attachment(part.get_filename() or "without a name", part.get_content_type(), size)
