"""How the server behaves, and what it has seen; the tests set the one and read the other."""

import base64
import threading
from dataclasses import dataclass, field
from typing import Any

STAGES = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data")
# Instead of a reply: hang up; say nothing until told otherwise; (starttls) do not offer it.
DROP, STALL, ABSENT = "drop", "stall", "absent"


@dataclass(frozen=True, slots=True)
class Received:
    """One mail that the server took, or, where told to fail after the content, could have taken."""

    sender: str
    recipients: list[str]
    raw: bytes
    tls: str | None
    user: str | None

    def as_json(self) -> dict[str, Any]:
        """Return it as the control port shows it."""
        return {
            "sender": self.sender,
            "recipients": self.recipients,
            "raw": base64.b64encode(self.raw).decode(),
            "tls": self.tls,
            "user": self.user,
        }


@dataclass(slots=True)
class State:
    """Shared by the server's thread and the tests'; every method may be called from any thread."""

    _behaviour: dict[str, str] = field(default_factory=dict)
    _messages: list[Received] = field(default_factory=list)
    _logins: list[dict[str, Any]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def behave(self, **replies: str) -> None:
        """Answer these stages with these replies from now on; the others are well."""
        unknown = replies.keys() - set(STAGES)
        if unknown:
            message = f"no such stage: {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}"
            raise ValueError(message)
        with self._changed:
            self._behaviour = replies

    def reply_to(self, stage: str) -> str | None:
        """Return what to answer instead of what is right, or None to be well."""
        with self._changed:
            return self._behaviour.get(stage)

    def received(self, message: Received) -> None:
        """Keep a mail."""
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()

    def logged_in(self, user: str | None, *, accepted: bool) -> None:
        """Keep that somebody tried to log in."""
        with self._changed:
            self._logins.append({"user": user, "accepted": accepted})
            self._changed.notify_all()

    @property
    def messages(self) -> list[Received]:
        """Return all mail so far, oldest first."""
        with self._changed:
            return list(self._messages)

    @property
    def logins(self) -> list[dict[str, Any]]:
        """Return all tries to log in so far, oldest first."""
        with self._changed:
            return list(self._logins)

    def wait_for(self, *, messages: int = 0, logins: int = 0, seconds: float = 20) -> None:
        """Return once there are that many, or raise TimeoutError that says what there is."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: len(self._messages) >= messages and len(self._logins) >= logins, seconds
            ):
                message = f"{len(self._messages)} messages and {len(self._logins)} logins came"
                raise TimeoutError(message)

    def forget(self) -> None:
        """Drop all mail and logins."""
        with self._changed:
            self._messages.clear()
            self._logins.clear()
