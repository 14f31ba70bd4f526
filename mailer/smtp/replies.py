"""What the relay answers to one command (RFC 5321, 4.2; enhanced codes: RFC 3463)."""

import re
from dataclasses import dataclass

from mailer.smtp.errors import Stage

LONGEST_TEXT = 300
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, to the command of one stage."""

    stage: Stage
    code: int
    text: str

    @property
    def enhanced(self) -> str:
        """Return the enhanced code of RFC 3463 (such as 5.7.8), or an empty string."""
        found = _ENHANCED.match(self.text)
        return found.group() if found else ""

    @property
    def is_no(self) -> bool:
        """Say whether it is a refusal at all, and not something that SMTP does not know."""
        return 400 <= self.code <= 599  # noqa: PLR2004 RFC 5321, 4.2.1

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


def read_reply(stage: Stage, code: int, raw: bytes, hidden: tuple[str, ...] = ()) -> Reply:
    """Return the reply as one line, without what must stay `hidden`: some servers quote us."""
    return Reply(stage, code, legible(raw.decode("utf-8", "replace"), hidden))


def legible(text: str, hidden: tuple[str, ...] = ()) -> str:
    """Return somebody else's words as one short line, without what must stay `hidden`."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    for secret in filter(None, hidden):
        if secret.lower() in text.lower():
            text = re.sub(re.escape(secret), "[...]", text, flags=re.IGNORECASE)
    return text[:LONGEST_TEXT]
