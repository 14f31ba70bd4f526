"""The ways in which people, and programs, are told: mail through the outbox, a webhook, a ping after each run."""

import json
import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

import structlog
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from backup.settings import Settings
from backup.watching import calls
from backup.watching.alarm import Notice
from backup.watching.alerts import Channel, NotToldError
from common import outbox
from common.database import reason_of

log = structlog.get_logger(__name__)

KIND = "backup_alert"
FAIL = "/fail"
SUBJECTS = {
    "begins": "Backup: {name}",
    "lasts": "Backup: {name}, still",
    "over": "Backup: {name} is well again",
}


class Mail:
    """Mail by way of the outbox: told once it is queued there, which needs the database."""

    name = "mail"

    def __init__(self, engine: Engine, recipient: str, sender: str) -> None:
        self._engine = engine
        self._recipient = recipient
        self._sender = sender

    def tell(self, notice: Notice) -> None:
        """Queue the mail; the same notice again queues nothing."""
        message_id = f"<{secrets.token_hex(16)}@{self._address().partition('@')[2]}>"
        head = f"To: {self._recipient}\r\nMessage-ID: {message_id}\r\n".encode("ascii", "replace")
        handling = outbox.Handling(kind=KIND, priority=outbox.URGENT, dedupe_key=notice.key)
        try:
            with self._engine.begin() as connection:
                outbox.enqueue(
                    connection,
                    handling,
                    sender=self._address(),
                    subject=subject(notice),
                    content=self._content(notice),
                    letters=[outbox.Letter(self._recipient, message_id, head)],
                )
        except (SQLAlchemyError, outbox.BadMailError) as error:
            raise NotToldError(reason_of(error)) from error

    def _address(self) -> str:
        return parseaddr(self._sender)[1]

    def _content(self, notice: Notice) -> bytes:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["Subject"] = subject(notice)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text(notice), cte="quoted-printable")
        return mail.as_bytes()


class Webhook:
    """A JSON document, by POST; it needs no database."""

    name = "webhook"

    def __init__(self, address: SecretStr, authority: Path | None) -> None:
        self._address = address
        self._authority = authority

    def tell(self, notice: Notice) -> None:
        """Post the notice."""
        document = json.dumps(as_document(notice)).encode()
        try:
            calls.ask(self._address.get_secret_value(), document, self._authority)
        except calls.CallError as error:
            raise NotToldError(str(error)) from error


def of(settings: Settings, engine: Engine) -> list[Channel]:
    """Return the channels that are set."""
    found: list[Channel] = []
    if settings.backup_alert_to:
        found.append(Mail(engine, settings.backup_alert_to, settings.alert_sender))
    if settings.backup_webhook_url:
        found.append(Webhook(settings.backup_webhook_url, settings.backup_ca_file))
    return found


def ping(settings: Settings, *, good: bool) -> None:
    """Tell the ping address how a run has ended; never fails."""
    if settings.backup_ping_url is None:
        return
    address = settings.backup_ping_url.get_secret_value()
    try:
        calls.ask(address if good else failed(address), authority=settings.backup_ca_file)
    except calls.CallError as error:
        log.warning("the ping was not heard", reason=str(error))


def failed(address: str) -> str:
    """Return the address that a bad run is told to; a query stays behind the path."""
    path, mark, query = address.partition("?")
    return path.rstrip("/") + FAIL + mark + query


def subject(notice: Notice) -> str:
    """Return the mail's subject."""
    return SUBJECTS[notice.kind].format(name=notice.problem.name)


def text(notice: Notice) -> str:
    """Return what the mail says."""
    problem = notice.problem
    since = f"{problem.since:%Y-%m-%d %H:%M:%S} UTC"
    if notice.kind == "over":
        over = f"{problem.over_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"It is well again since {over}. It was, since {since}:\n\n{problem.reason}\n"
    return (
        f"Since {since}:\n\n{problem.reason}\n\n"
        "`make backup-status` says how all of it does. While it lasts you are told once a day.\n"
    )


def as_document(notice: Notice) -> dict[str, object]:
    """Return what the webhook is posted."""
    problem = notice.problem
    return {
        "problem": problem.name,
        "state": "ok" if notice.kind == "over" else "failing",
        "notice": notice.kind,
        "reason": problem.reason,
        "since": problem.since.isoformat(),
        "over_at": problem.over_at.isoformat() if problem.over_at else None,
        "text": f"{subject(notice)}: {problem.reason}",  # what chat programs show
    }
