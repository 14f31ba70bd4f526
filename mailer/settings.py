"""What the mailer can be told."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

import common.settings
from mailer.smtp.tls import tls_context

GMAIL = "smtp.gmail.com"
PRIVATE_DOMAINS = ("@gmail.com", "@googlemail.com")
GMAIL_CONNECTIONS, USUAL_CONNECTIONS = 2, 4  # Gmail turns away logins beyond a few at once
GMAIL_PRIVATE_QUOTA, GMAIL_WORKSPACE_QUOTA = 500, 2000  # mails in 24 hours


class Settings(common.settings.Settings):
    """The relay, the account (without one, mail waits in the outbox), and the folder to sweep."""

    mail_server: str = Field(GMAIL, pattern=r"^\S+$", description="the relay that takes our mail")
    mail_port: int = Field(
        587,
        ge=1,
        le=65535,
        description="its port: 587 for STARTTLS, 465 for TLS from the first byte",
    )
    mail_use_tls: bool = Field(True, description="STARTTLS, with the certificate verified")
    mail_use_ssl: bool = Field(False, description="TLS from the first byte instead of STARTTLS")
    mail_username: str | None = Field(
        None, description="the account at the relay; unset, mail waits in the outbox"
    )
    mail_password: SecretStr | None = Field(
        None, description="its password; Gmail wants an app password. Better: MAIL_PASSWORD_FILE"
    )
    mail_ca_file: Path | None = Field(
        None, description="a further certificate authority (PEM), for a private relay"
    )
    mail_auth: Literal["password", "xoauth2", "none"] = Field(
        "password", description="how to log in: xoauth2 is Gmail's; none for a relay without logins"
    )
    mail_oauth_token_url: str = Field(
        "https://oauth2.googleapis.com/token",
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="where xoauth2 gets its access tokens",
    )
    mail_oauth_client_id: str | None = Field(None, description="what that place knows us by")
    mail_oauth_client_secret: SecretStr | None = Field(
        None, description="our secret there. Better: MAIL_OAUTH_CLIENT_SECRET_FILE"
    )
    mail_oauth_refresh_token: SecretStr | None = Field(
        None, description="the account's consent. Better: MAIL_OAUTH_REFRESH_TOKEN_FILE"
    )
    mail_timeout: int = Field(
        30, ge=1, le=300, description="seconds for each step of SMTP, and for each 64 KB of a mail"
    )
    mail_end_timeout: int = Field(
        600,
        ge=1,
        le=3600,
        description="seconds for the reply to a whole mail; a short time makes duplicates",
    )
    mail_connections: int | None = Field(
        None,
        ge=1,
        le=20,
        description="connections to the relay at once; unset: 2 for smtp.gmail.com, else 4",
    )
    mail_daily_quota: int | None = Field(
        None,
        ge=0,
        description="mails that the relay takes in 24 hours, 0 for no limit; unset: 2000 for "
        "smtp.gmail.com, 500 with a @gmail.com account there, else 0",
    )
    mail_journal_dir: Path = Field(
        Path("journal"), description="where the mailer keeps which mails it is just handing over"
    )
    web_url: str = Field(
        "http://web:8000",
        pattern=r"^https?://[^\s/@]+/?$",
        description="where web answers inside, for the measurements of the status page",
    )
    session_file_dir: Path = Field(
        Path("flask_session"), description="the folder of web's session files, which we sweep"
    )

    def contradictions(self) -> list[str]:
        """Return a line for each pair of settings that cannot both stand, and each bad file."""
        problems = super().contradictions()
        if self.mail_use_tls and self.mail_use_ssl:
            problems.append(
                "MAIL_USE_TLS and MAIL_USE_SSL are both true; set MAIL_USE_TLS=false for TLS from "
                "the first byte (port 465), or MAIL_USE_SSL=false for STARTTLS (port 587)"
            )
        problems += self._account_problems()
        return problems + unusable_authorities(self.mail_ca_file)

    def unsafe_in_production(self) -> list[str]:
        """Return a line for each setting that production refuses."""
        problems = super().unsafe_in_production()
        if not self.mail_use_tls and not self.mail_use_ssl:
            problems.append(
                "MAIL_USE_TLS and MAIL_USE_SSL are both false, so mail and password would travel "
                "in the clear; set MAIL_USE_TLS=true"
            )
        if urlsplit(self.mail_oauth_token_url).scheme != "https":
            problems.append(
                "MAIL_OAUTH_TOKEN_URL: not https, so the tokens would travel in the clear; "
                "write https://HOST/PATH"
            )
        return problems

    @property
    def connections(self) -> int:
        """Return how many connections to the relay there may be at once."""
        if self.mail_connections is not None:
            return self.mail_connections
        return GMAIL_CONNECTIONS if self.is_gmail else USUAL_CONNECTIONS

    @property
    def daily_quota(self) -> int:
        """Return how many mails the relay takes in 24 hours; 0 is no limit."""
        if self.mail_daily_quota is not None:
            return self.mail_daily_quota
        if not self.is_gmail:
            return 0
        is_private = (self.mail_username or "").lower().endswith(PRIVATE_DOMAINS)
        return GMAIL_PRIVATE_QUOTA if is_private else GMAIL_WORKSPACE_QUOTA

    @property
    def is_gmail(self) -> bool:
        """Say whether the relay is Gmail's, which has limits of its own."""
        return self.mail_server.lower() == GMAIL

    @property
    def has_oauth(self) -> bool:
        """Say whether all that xoauth2 needs is there."""
        return bool(self.mail_username) and not self._missing_of_oauth()

    def _account_problems(self) -> list[str]:
        """Return a line for each thing too few, or too many, for the way of logging in."""
        user, password = self.mail_username, self.mail_password
        given = [name for name, value in self._oauth().items() if value]
        spare = []
        if self.mail_auth != "password" and password:
            spare.append("MAIL_PASSWORD")
        if self.mail_auth != "xoauth2":
            spare += given
        if self.mail_auth == "none" and user:
            spare.append("MAIL_USERNAME")
        problems = [
            f"{name}: set, but MAIL_AUTH={self.mail_auth} has no use for it" for name in spare
        ]
        if self.mail_auth == "password" and user and not password:
            problems.append("MAIL_PASSWORD: not set, nor MAIL_PASSWORD_FILE, but MAIL_USERNAME is")
        if self.mail_auth == "password" and password and not user:
            problems.append("MAIL_USERNAME: not set, but MAIL_PASSWORD is")
        if self.mail_auth == "xoauth2" and (user or given):
            problems += [
                f"{name}: not set, but MAIL_AUTH=xoauth2" for name in self._missing_of_oauth()
            ]
            problems += [] if user else ["MAIL_USERNAME: not set, but MAIL_AUTH=xoauth2"]
        return problems

    def _oauth(self) -> dict[str, object]:
        return {
            "MAIL_OAUTH_CLIENT_ID": self.mail_oauth_client_id,
            "MAIL_OAUTH_CLIENT_SECRET": self.mail_oauth_client_secret,
            "MAIL_OAUTH_REFRESH_TOKEN": self.mail_oauth_refresh_token,
        }

    def _missing_of_oauth(self) -> list[str]:
        return [name for name, value in self._oauth().items() if not value]


def unusable_authorities(path: Path | None) -> list[str]:
    """Return a line if the file of authorities can't be loaded; no file is no problem."""
    try:
        tls_context(path)
    except OSError as error:
        return [f"MAIL_CA_FILE: cannot load a certificate authority from {path}: {error}"]
    return []
