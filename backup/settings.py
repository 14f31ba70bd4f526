"""What the backup worker can be told."""

import re
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from sqlalchemy.engine import URL, make_url

import common.settings
from backup.repository import credentials, targets
from backup.schedule import slots
from common.outbox import is_address


def known_schedule(expression: str) -> str:
    """Return the expression if it can be scheduled; a ValueError says why not."""
    slots.parse(expression)
    return expression


def known_targets(entries: str) -> str:
    """Return the targets if each can be understood; a ValueError says why not."""
    targets.parse(entries, "")
    return entries


def known_remote(address: str) -> str:
    """Return the address if git can push there safely; a ValueError says what to write instead."""
    url = urlsplit(address)
    if url.password:
        message = "the password does not belong here; see BACKUP_GIT_TOKEN"
        raise ValueError(message)
    if address.startswith("-") or not (
        url.scheme in {"ssh", "https"} or SCP_LIKE.fullmatch(address)
    ):
        message = "write USER@HOST:PATH, ssh://USER@HOST:PORT/PATH or https://HOST/PATH"
        raise ValueError(message)
    return address


def known_web_address(address: SecretStr) -> SecretStr:
    """Return the address if it can be asked; a ValueError says what to write, and not what was there."""
    url = urlsplit(address.get_secret_value())
    if url.scheme not in {"http", "https"} or not url.hostname:
        message = "not an address; it begins with https://"
        raise ValueError(message)
    return address


def known_recipient(address: str) -> str:
    """Return the address if mail can be sent to it; a ValueError says that it can't."""
    if not is_address(address):
        message = "not an address that mail can be sent to; write one like ada@example.org"
        raise ValueError(message)
    return address


def known_sender(sender: str) -> str:
    """Return NAME <ADDRESS> if mail can be from there; a ValueError says that it can't."""
    known_recipient(parseaddr(sender)[1])
    return sender


SCP_LIKE = re.compile(r"[^/:@]+@[^/:]+:.+")
WebAddress = Annotated[SecretStr, AfterValidator(known_web_address)]
Schedule = Annotated[str, AfterValidator(known_schedule)]


class Settings(common.settings.Settings):
    """What every service can be told, and when, how long and where backups are kept."""

    # --- when, and for how long
    backup_schedule: Schedule = Field(
        "0 3 * * *",
        description="when backups are taken: cron, in UTC, weekdays by name",
        examples=["30 2 * * mon-sat"],
    )
    backup_drill_schedule: Schedule = Field(
        "0 5 * * sun",
        description="when a restore to a random instant is rehearsed, and a part of each repository read anew",
    )
    backup_retention_days: int = Field(
        7,
        ge=1,
        le=3650,
        description="days that backups are kept; the newest three that are proven always stay",
    )
    backup_keep_weekly: int = Field(
        0, ge=0, le=520, description="weeks of which the last backup is kept beyond those days"
    )
    backup_keep_monthly: int = Field(
        0, ge=0, le=120, description="months of which the last backup is kept beyond those days"
    )

    # --- where
    backup_folder: Path = Field(
        Path("/var/lib/keelson/backups"), description="what is kept here: a volume of its own"
    )
    backup_targets: Annotated[str, AfterValidator(known_targets)] = Field(
        "local",
        description="where backups go, several side by side: local, sftp://USER@HOST:PORT/FOLDER,"
        " rest:https://HOST:PORT/, s3:https://HOST/BUCKET",
        examples=["local, sftp://backup@vault.example.org:22/keelson"],
    )
    backup_storage_limit_gb: int = Field(
        0, ge=0, description="GB that one target may take before it is reported; 0 is no limit"
    )
    backup_repository_key: SecretStr = Field(
        description="what encrypts the backups, made by init; without it, or the recovery kit, they are lost"
    )
    backup_ca_file: Path | None = Field(
        None,
        description="the authority of rest and s3 servers, where no public one has signed theirs",
    )
    backup_sftp_key: SecretStr | None = Field(
        None, description="the private key for sftp (OpenSSH)"
    )
    backup_sftp_known_hosts: str | None = Field(
        None, description="the host keys of the sftp servers, as ssh-keyscan prints them"
    )
    backup_rest_username: str | None = Field(None, description="the account at the rest server")
    backup_rest_password: SecretStr | None = Field(None, description="its password")
    backup_rest_append_only: bool = Field(
        False, description="the rest server lets nothing be deleted; retention is done elsewhere"
    )
    backup_s3_access_key_id: str | None = Field(None, description="the account at the S3 storage")
    backup_s3_secret_access_key: SecretStr | None = Field(None, description="its secret key")
    backup_s3_region: str | None = Field(None, description="its region, where it wants one")

    # --- point in time
    backup_point_in_time: bool = Field(
        True, description="keep every change too, so that any instant can be restored"
    )
    backup_synchronous: bool = Field(
        False,
        description="a commit waits until the worker has it too: nothing is lost with the database's disk,"
        " and nothing can be written while the worker is away",
    )

    # --- version control
    backup_git_remote: Annotated[str, AfterValidator(known_remote)] | None = Field(
        None,
        description="where the schema and the manifests are pushed to",
        examples=["git@git.example.org:team/keelson-history.git"],
    )
    backup_git_key: SecretStr | None = Field(None, description="the private key for it (OpenSSH)")
    backup_git_known_hosts: str | None = Field(
        None, description="its host keys, as ssh-keyscan prints them"
    )
    backup_git_token: SecretStr | None = Field(None, description="the token for it, over https")

    # --- who is told
    backup_alert_to: Annotated[str, AfterValidator(known_recipient)] | None = Field(
        None, description="who gets a mail when backups fail, and when they are well again"
    )
    mail_username: str | None = Field(None, description="the account at the relay")
    mail_default_sender: Annotated[str, AfterValidator(known_sender)] | None = Field(
        None, description="who our mail is from; unset, MAIL_USERNAME or whoever gets it"
    )
    backup_ping_url: WebAddress | None = Field(
        None, description="asked after each good run; /fail is added after a bad one"
    )
    backup_webhook_url: WebAddress | None = Field(
        None, description="gets each alert as JSON, by POST; also while the database is away"
    )

    @property
    def alert_sender(self) -> str:
        """Return who alerts are from: without one of ours, whoever gets them."""
        account = self.mail_username if is_address(self.mail_username or "") else None
        return self.mail_default_sender or account or self.backup_alert_to or ""

    def contradictions(self) -> list[str]:
        """Return a line for each thing that a target or the remote needs to let us in, and that is not set."""
        kinds = {target.kind for target in targets.parse(self.backup_targets, "")}
        missing = credentials.contradictions(kinds, self) + self._unreachable_remote()
        if self.backup_synchronous and not self.backup_point_in_time:
            missing.append(
                "BACKUP_SYNCHRONOUS: commits would wait for ever, as BACKUP_POINT_IN_TIME is false;"
                " switch that on, or this off"
            )
        return [*super().contradictions(), *missing]

    def _unreachable_remote(self) -> list[str]:
        remote = self.backup_git_remote
        if not remote:
            return []
        needed: dict[str, object] = {"BACKUP_GIT_TOKEN": self.backup_git_token}
        if not remote.startswith("https://"):
            needed = {
                "BACKUP_GIT_KEY": self.backup_git_key,
                "BACKUP_GIT_KNOWN_HOSTS": self.backup_git_known_hosts,
            }
        return [
            f"{name}: not set, nor {name}_FILE, and BACKUP_GIT_REMOTE is reached with it"
            for name, value in needed.items()
            if not value
        ]

    def url(self) -> URL:
        """Return where the database is, taken apart; it holds the password."""
        return make_url(self.database_url.get_secret_value())

    def for_database(self, name: str) -> "Settings":
        """Return the same settings for another database of the same server."""
        url = self.url().set(database=name).render_as_string(hide_password=False)
        return self.model_copy(update={"database_url": SecretStr(url)})
