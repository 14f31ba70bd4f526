"""What we log in with."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and its password."""

    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Token:
    """A user name and an access token, for XOAUTH2; `renewed` gives one that is newer."""

    username: str
    value: SecretStr
    renewed: Callable[[], "Token"]


Login = Credentials | Token | None  # None: the relay wants no login
