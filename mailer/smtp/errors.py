"""Why a mail was not handed over: where that happened, whose fault it is, and what follows."""

from datetime import timedelta
from enum import StrEnum


class Stage(StrEnum):
    """How far the conversation had come; the value reads well in an error."""

    CREDENTIALS = "credentials"
    CONNECT = "connection"
    GREETING = "greeting"
    EHLO = "EHLO"
    TLS = "STARTTLS"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    END = "end of the mail"  # after the final dot: from here on, it may have arrived


class Scope(StrEnum):
    """Whose fault it is: the first three hold all mail, the others concern one."""

    ACCOUNT = "account"
    SERVER = "server"
    QUOTA = "quota"
    SENDER = "sender"
    MESSAGE = "message"
    RECIPIENT = "recipient"
    UNSURE = "unsure"


BEFORE_ANY_MAIL = frozenset(
    {Stage.CREDENTIALS, Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.TLS, Stage.LOGIN}
)
OF_THE_RELAY = frozenset({Scope.ACCOUNT, Scope.SERVER, Scope.QUOTA})  # holds all mail


class DeliveryError(Exception):
    """The mail was not handed over; `scope` and `permanent` say what to do about it.

    `permanent`: no retry will help. `cause` is credentials, login, server or quota where the scope
    holds all mail, else empty. `wait`: not to be tried again sooner. `slow_down`: the relay wants
    fewer of us at once. `no_such_address`: no mail will ever reach it, whatever its content. The
    text is for the operator, without an address or a secret.
    """

    def __init__(  # noqa: PLR0913 all is said by name
        self,
        message: str,
        stage: Stage,
        scope: Scope,
        *,
        permanent: bool = False,
        code: int | None = None,
        cause: str = "",
        wait: timedelta | None = None,
        slow_down: bool = False,
        no_such_address: bool = False,
    ) -> None:
        super().__init__(message)
        self.stage = stage
        self.scope = scope
        self.permanent = permanent
        self.code = code
        self.cause = cause
        self.wait = wait
        self.slow_down = slow_down
        self.no_such_address = no_such_address
