"""What the mailer can be told."""

from pathlib import Path

from pydantic import Field, SecretStr

import common.settings
from mailer.tls import tls_context

# Seen from outside, a mailer that waits for longer is dead: the status page allows 60 seconds.
LONGEST_TIMEOUT_SECONDS = 40


class Settings(common.settings.Settings):
    """The relay, the account (without one, mail waits in the outbox), and the folder to sweep."""

    mail_server: str = Field(
        "smtp.gmail.com", pattern=r"^\S+$", description="the relay that takes our mail"
    )
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
    mail_timeout: int = Field(
        30,
        ge=1,
        le=LONGEST_TIMEOUT_SECONDS,
        description="seconds that the relay may take to log us in, and again for each mail",
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
        if self.mail_username and not self.mail_password:
            problems.append("MAIL_PASSWORD: not set, nor MAIL_PASSWORD_FILE, but MAIL_USERNAME is")
        if self.mail_password and not self.mail_username:
            problems.append("MAIL_USERNAME: not set, but MAIL_PASSWORD is")
        return problems + unusable_authorities(self.mail_ca_file)

    def unsafe_in_production(self) -> list[str]:
        """Return a line for each setting that production refuses."""
        problems = super().unsafe_in_production()
        if not self.mail_use_tls and not self.mail_use_ssl:
            problems.append(
                "MAIL_USE_TLS and MAIL_USE_SSL are both false, so the password would travel in the "
                "clear; set MAIL_USE_TLS=true"
            )
        return problems


def unusable_authorities(path: Path | None) -> list[str]:
    """Return a line if the file of authorities can't be loaded; no file is no problem."""
    try:
        tls_context(path)
    except OSError as error:
        return [f"MAIL_CA_FILE: cannot load a certificate authority from {path}: {error}"]
    return []
