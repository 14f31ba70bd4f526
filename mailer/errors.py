"""Why a mail was not handed over, split by what to do about it."""

from enum import StrEnum


class Stage(StrEnum):
    """How far the conversation had come; the value reads well in an error."""

    CREDENTIALS = "credentials"
    CONNECT = "connection"
    GREETING = "greeting"
    TLS = "STARTTLS"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


class DeliveryError(Exception):
    """The mail was not handed over; the subclass says what to do about it."""

    def __init__(self, message: str, stage: Stage, code: int | None = None) -> None:
        super().__init__(message)
        self.stage = stage
        self.code = code

    @property
    def kind(self) -> tuple[Stage, int | None]:
        """Return what makes two errors the same trouble; the words differ from reply to reply."""
        return self.stage, self.code


class MailRefusedError(DeliveryError):
    """No retry will help: this mail is refused for good."""


class MailDeferredError(DeliveryError):
    """Try this mail again later: full mailbox, greylisting, or nobody knows whether it arrived."""


class RelayError(DeliveryError):
    """Not this mail's fault: network, TLS, our login, our quota, our address."""
