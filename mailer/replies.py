"""What a reply of the relay means: the fault of one mail, or trouble with relay or account."""

import re
from dataclasses import dataclass

from mailer.errors import DeliveryError, MailDeferredError, MailRefusedError, RelayError, Stage

LONGEST_TEXT = 300
BEFORE_ANY_MAIL = {Stage.CREDENTIALS, Stage.CONNECT, Stage.GREETING, Stage.TLS, Stage.LOGIN}

GOING_DOWN, TOO_MANY_LOGINS, BAD_SEQUENCE = 421, 454, 503
LOGIN_WANTED = {530, 534, 535, 538}
TOO_LARGE = 552
QUOTA = "5.4.5"  # Gmail, as 550 5.4.5: the account's day is used up, which says nothing of the mail
# Gmail's relay says the same of a whole organisation, under codes that are also a recipient's.
QUOTA_IN_WORDS = re.compile(r"\b(daily|peak)\b.*\blimit\b", re.IGNORECASE)

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

    @property
    def is_permanent(self) -> bool:
        """Say whether the relay would answer the same tomorrow; the enhanced code wins.

        Routing (5.4.x) and a host that is not taking mail (5.3.2) change, whatever the class says.
        """
        if self.enhanced == "5.3.2" or self.enhanced.startswith("5.4."):
            return False
        return (self.enhanced or str(self.code)).startswith("5")

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


def read_reply(stage: Stage, code: int, raw: bytes, hidden: tuple[str, ...] = ()) -> Reply:
    """Return the reply as one line, without what must stay `hidden`: some servers quote us."""
    characters = raw.decode("utf-8", "replace")
    text = " ".join("".join(c if c.isprintable() else " " for c in characters).split())
    for secret in hidden:
        text = text.replace(secret, "[...]")
    return Reply(stage, code, text[:LONGEST_TEXT])


def meaning_of(reply: Reply) -> type[DeliveryError]:
    """Return whose fault a reply is that is not the one hoped for."""
    if is_about_the_relay(reply):
        return RelayError
    if not reply.is_no:  # nonsense after the whole mail was sent: it may have arrived
        return MailDeferredError
    return MailRefusedError if reply.is_permanent else MailDeferredError


def is_about_the_relay(reply: Reply) -> bool:
    """Say whether every other mail would fare the same."""
    return (
        reply.stage in BEFORE_ANY_MAIL
        or reply.code in {GOING_DOWN, TOO_MANY_LOGINS, BAD_SEQUENCE, *LOGIN_WANTED}
        or reply.enhanced == QUOTA
        or bool(QUOTA_IN_WORDS.search(reply.text))
        or (not reply.is_no and reply.stage is not Stage.CONTENT)
        or (reply.stage is Stage.SENDER and reply.is_permanent and not is_about_size(reply))
    )


def is_about_size(reply: Reply) -> bool:
    """Say whether this mail is larger than the relay takes (RFC 1870), which MAIL already tells."""
    return reply.code == TOO_LARGE or reply.enhanced == "5.3.4"
