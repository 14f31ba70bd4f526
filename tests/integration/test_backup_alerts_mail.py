"""An alert becomes a mail in the outbox, written by the backup's own role."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from sqlalchemy import text

from backup.catalogue.folder import Folder
from backup.watching.alerts import Alerts
from backup.watching.channels import Mail
from tests.integration.postgres import Database

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MAILS = "SELECT recipient, subject, head, content FROM outbox JOIN mail_bodies b ON b.id = body_id ORDER BY outbox.id"


def told(database: Database, folder: Path, reason: str | None, now: datetime = NOON) -> None:
    mail = Mail(database.engine("backup"), "ada@example.org", "Keelson <keelson@example.org>")
    Alerts(Folder(folder), [mail], lambda: now).tell("git", reason)


def mails(database: Database) -> list[tuple[str, str, bytes]]:
    with database.engine("owner").connect() as connection:
        rows = connection.execute(text(MAILS)).all()
    return [(row.recipient, row.subject, bytes(row.head) + bytes(row.content)) for row in rows]


def test_a_mail_says_what_is_wrong_and_since_when(database: Database, tmp_path: Path) -> None:
    told(database, tmp_path, "the remote refused: Zugriff für alle verweigert")

    ((recipient, subject, written),) = mails(database)
    mail = message_from_bytes(written, policy=policy.default)
    assert (recipient, subject) == ("ada@example.org", "Backup: git")
    assert (mail["From"], mail["To"]) == ("Keelson <keelson@example.org>", "ada@example.org")
    said = mail.get_content()
    assert "Since 2026-11-22 12:00:00 UTC" in said
    assert "Zugriff für alle verweigert" in said


def test_the_end_is_a_mail_of_its_own(database: Database, tmp_path: Path) -> None:
    told(database, tmp_path, "refused")
    told(database, tmp_path, "refused", NOON + timedelta(hours=1))
    told(database, tmp_path, None, NOON + timedelta(hours=2))
    told(database, tmp_path, None, NOON + timedelta(hours=3))

    subjects = [subject for _, subject, _ in mails(database)]
    assert subjects == ["Backup: git", "Backup: git is well again"]


def test_an_alert_whose_state_was_lost_is_no_second_mail(
    database: Database, tmp_path: Path
) -> None:
    told(database, tmp_path, "refused")
    (Folder(tmp_path).state / "alerts.json").unlink()

    told(database, tmp_path, "refused")

    assert len(mails(database)) == 1
