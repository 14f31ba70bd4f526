"""The secrets as they are now: a changed file needs no restart."""

import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from common.settings import Unreadable, read_secret
from mailer.settings import Settings
from mailer.smtp.errors import DeliveryError, Stage
from mailer.smtp.translation import error_of
from mailer.smtp.verdict import Failed, Failure

NAMES = ("mail_password", "mail_oauth_client_secret", "mail_oauth_refresh_token")


def secret_files(environment: Mapping[str, str]) -> dict[str, Path]:
    """Return the file of each secret that the environment names one for."""
    named = {name: environment.get(f"{name.upper()}_FILE") for name in NAMES}
    return {name: Path(path) for name, path in named.items() if path}


class Secrets:
    """Read from their files each time, or else from the settings."""

    def __init__(self, settings: Settings, files: Mapping[str, Path]) -> None:
        self._settings = settings
        self._files = files
        self._salt = secrets.token_bytes(16)

    def read(self, name: str) -> SecretStr | None:
        """Return one, or None where it is not set; raises DeliveryError where its file is bad."""
        given: SecretStr | None = getattr(self._settings, name)
        path = self._files.get(name)
        if given is None or path is None:
            return given
        fresh = read_secret(path)
        if isinstance(fresh, Unreadable):
            message = f"{name.upper()}_FILE: {fresh.reason}"
            raise missing(message)
        return SecretStr(fresh)

    def fingerprint(self) -> str:
        """Return what is another when one of the files is; it tells nothing else, raises nothing."""
        digest = hashlib.blake2b(key=self._salt)
        for path in self._files.values():
            found = read_secret(path)
            text = found.reason if isinstance(found, Unreadable) else found
            digest.update(hashlib.sha256(text.encode()).digest())
        return digest.hexdigest()


def missing(message: str) -> DeliveryError:
    """Return the error for having nothing to log in with."""
    return error_of(Failure(Stage.CREDENTIALS, Failed.MISSING), message)
