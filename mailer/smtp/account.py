"""Our account at the relay, as the settings and the files of its secrets say just now."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from mailer.settings import Settings
from mailer.smtp.credentials import Credentials, Login
from mailer.smtp.oauth import Client, Tokens
from mailer.smtp.secret_files import Secrets, missing

NO_PASSWORD = "no SMTP credentials: set MAIL_USERNAME and MAIL_PASSWORD_FILE (or MAIL_PASSWORD)"  # noqa: S105 no password
NO_TOKEN = (
    "no SMTP credentials: set MAIL_USERNAME, MAIL_OAUTH_CLIENT_ID, MAIL_OAUTH_CLIENT_SECRET_FILE "  # noqa: S105 likewise
    "and MAIL_OAUTH_REFRESH_TOKEN_FILE, as MAIL_AUTH is xoauth2"
)


class Account:
    """Called, it gives what to log in with; from any thread."""

    def __init__(
        self, settings: Settings, files: Mapping[str, Path], context: ssl.SSLContext
    ) -> None:
        self._settings = settings
        self._secrets = Secrets(settings, files)
        client = Client(
            settings.mail_username or "",
            settings.mail_oauth_client_id or "",
            lambda: self._secrets.read("mail_oauth_client_secret"),
            lambda: self._secrets.read("mail_oauth_refresh_token"),
        )
        url, seconds = settings.mail_oauth_token_url, settings.mail_timeout
        self._tokens = Tokens(url, client, seconds, context)

    def __call__(self) -> Login:
        """Return what to log in with, None for no login; raises DeliveryError."""
        match self._settings.mail_auth:
            case "none":
                return None
            case "xoauth2":
                if not self._settings.has_oauth:
                    raise missing(NO_TOKEN)
                return self._tokens.current()
            case _:
                password = self._secrets.read("mail_password")
                if self._settings.mail_username is None or password is None:
                    raise missing(NO_PASSWORD)
                return Credentials(self._settings.mail_username, password)

    def fingerprint(self) -> str:
        """Return what is another when a file of its secrets is; for comparing, and nothing else."""
        return self._secrets.fingerprint()
