"""Alerts, kept on the volume, and told over real connections."""

import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine
from structlog.testing import capture_logs

from backup.catalogue.folder import Folder
from backup.watching import calls, channels
from backup.watching.alarm import Notice
from backup.watching.alerts import FILE, Alerts, Channel, NotToldError
from backup.watching.channels import Mail, Webhook
from tests.backup_manifests import NOON, some_settings
from tests.stack.smtp.certificates import make_certificate
from tests.web_sink import Sink, running_sink

NOWHERE = "postgresql+psycopg2://u:p@127.0.0.1:1/keelson"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time


class FakeChannel:
    """A channel that keeps what it is told, or is away."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[str] = []
        self.away = False

    def tell(self, notice: Notice) -> None:
        """Keep it."""
        if self.away:
            raise NotToldError("away")
        self.told.append(f"{notice.kind} {notice.problem.name}: {notice.problem.reason}")


def some_alerts(folder: Path, *some: Channel, clock: Clock | None = None) -> Alerts:
    return Alerts(Folder(folder), some, clock or Clock())


def test_a_problem_is_told_once_then_daily_then_its_end(tmp_path: Path) -> None:
    clock, channel = Clock(), FakeChannel("mail")

    for reason in ["no room", "no room", "no room", None, None]:
        some_alerts(tmp_path, channel, clock=clock).tell("backup-failed", reason)
        clock.time += timedelta(hours=13)

    assert [told.partition(" ")[0] for told in channel.told] == ["begins", "lasts", "over"]


def test_a_channel_that_is_away_hears_of_it_later(tmp_path: Path) -> None:
    mail, webhook = FakeChannel("mail"), FakeChannel("webhook")
    mail.away = True
    alerts = some_alerts(tmp_path, mail, webhook)

    alerts.tell("git", "refused")
    mail.away = False
    alerts.tell("backup-failed", None)

    assert mail.told == webhook.told == ["begins git: refused"]


def test_what_is_wrong_is_known_to_other_processes(tmp_path: Path) -> None:
    some_alerts(tmp_path).tell_all({"git": "refused", "limit-local": "full", "log-behind": None})

    assert [problem.name for problem in some_alerts(tmp_path).open()] == ["git", "limit-local"]


def test_the_worst_is_said_in_one_line(tmp_path: Path) -> None:
    alerts = some_alerts(tmp_path)
    assert alerts.worst() is None

    alerts.tell_all({"backup-overdue": "since noon", "a-target": "away"})

    assert alerts.worst() == "backup-overdue: since noon; a-target: away"


def test_damaged_alerts_begin_anew(tmp_path: Path) -> None:
    alerts = some_alerts(tmp_path)
    alerts.tell("git", "refused")
    (Folder(tmp_path).state / FILE).write_text("{", encoding="utf-8")

    alerts.tell("limit-local", "full")

    assert [problem.name for problem in alerts.open()] == ["limit-local"]


def test_a_volume_that_is_full_or_gone_is_logged_and_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way", encoding="utf-8")

    with capture_logs() as logs:
        some_alerts(tmp_path).tell("git", "refused")

    assert "alerts can't be kept" in [line["event"] for line in logs]


def test_the_webhook_is_posted_what_is_wrong(sink: Sink, tmp_path: Path) -> None:
    some_alerts(tmp_path, Webhook(SecretStr(sink.address), None)).tell("git", "refused")

    ((method, path, document),) = sink.asked
    assert (method, path) == ("POST", "/s3cret?q=1")
    assert document == {
        "problem": "git",
        "state": "failing",
        "notice": "begins",
        "reason": "refused",
        "since": "2026-11-22T12:00:00+00:00",
        "over_at": None,
        "text": "Backup: git: refused",
    }


def test_where_the_database_is_away_the_webhook_alone_is_told(sink: Sink, tmp_path: Path) -> None:
    mail = Mail(create_engine(NOWHERE), "ada@example.org", "keelson@example.org")
    webhook = Webhook(SecretStr(sink.address), None)

    some_alerts(tmp_path, mail, webhook).tell("backup-failed", "the database is away")

    assert len(sink.asked) == 1


@pytest.mark.parametrize(
    ("good", "path"), [(True, "/s3cret?q=1"), (False, "/s3cret/fail?q=1")], ids=["good", "bad"]
)
def test_the_ping_says_how_the_run_ended(sink: Sink, good: bool, path: str) -> None:
    channels.ping(some_settings(backup_ping_url=sink.address), good=good)

    assert sink.asked == [("GET", path, None)]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_ping_that_is_not_heard_fails_nothing_and_is_no_secret_told(
    sink: Sink, status: int
) -> None:
    sink.status = status

    with capture_logs() as logs:
        channels.ping(some_settings(backup_ping_url=sink.address), good=True)

    assert [line["reason"] for line in logs] == [f"it answered {status}"]
    assert len(sink.asked) == 1


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/s3cret", "http://nowhere.invalid/s3cret", "http://127.0.0.1:1/s3 cret\n"],
    ids=["refused", "unknown", "malformed"],
)
def test_an_address_that_is_not_there_fails_nothing_and_is_not_logged(address: str) -> None:
    with capture_logs() as logs:
        channels.ping(some_settings(backup_ping_url=address), good=True)

    assert len(logs) == 1
    assert "cret" not in str(logs)


def test_one_that_answers_for_ever_is_left(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "LIMIT_SECONDS", 1)
    sink.drips = True
    began = time.monotonic()

    with pytest.raises(calls.CallError, match="no answer within 1 s"):
        calls.ask(sink.address)

    assert time.monotonic() - began < 5


@pytest.fixture
def tls(tmp_path: Path) -> Any:
    return make_certificate(tmp_path, "localhost")


def test_a_webhook_of_a_private_authority_is_verified(tls: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)

    with running_sink(context) as sink:
        calls.ask(sink.address, b"{}", tls.authority)
        with pytest.raises(calls.CallError, match="TLS failed"):
            calls.ask(sink.address, b"{}")

    assert len(sink.asked) == 1


@pytest.mark.parametrize("name", ["backup_ping_url", "backup_webhook_url"])
def test_an_address_that_cannot_be_asked_is_told_at_start_without_naming_it(name: str) -> None:
    with pytest.raises(Exception, match=name.upper()) as raised:
        some_settings(**{name: "file:///s3cret"})

    assert "s3cret" not in str(raised.value)
