"""The account at the relay, read anew for each login so that a changed file needs no restart."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from common.settings import Unreadable, read_secret
from mailer.errors import RelayError, Stage
from mailer.settings import Settings

MISSING = "no SMTP credentials: set MAIL_USERNAME and MAIL_PASSWORD_FILE (or MAIL_PASSWORD)"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and its password."""

    username: str
    password: SecretStr


def credentials_source(settings: Settings, password_file: Path | None) -> Callable[[], Credentials]:
    """Return what gives the credentials as they are now, or raises RelayError."""

    def read() -> Credentials:
        if settings.mail_username is None or settings.mail_password is None:
            raise RelayError(MISSING, Stage.CREDENTIALS)
        if password_file is None:
            return Credentials(settings.mail_username, settings.mail_password)
        fresh = read_secret(password_file)
        if isinstance(fresh, Unreadable):
            message = f"MAIL_PASSWORD_FILE: {fresh.reason}"
            raise RelayError(message, Stage.CREDENTIALS)
        return Credentials(settings.mail_username, SecretStr(fresh))

    return read
