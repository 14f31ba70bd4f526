"""Mails for tests of what never looks into them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mailer.delivery.outbox import Mail

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAIL = Mail(
    id=1,
    message_id="<1@example.org>",
    kind="confirm",
    priority=5,
    sender="keelson@example.org",
    recipient="ada@example.com",
    raw=b"Subject: x\r\n\r\nx\r\n",
    attempts=0,
    crashes=0,
    when_unsure="resend",
    request_id=None,
    due_at=NOW,
    lost_by=None,
    suppressed=False,
    unsure_tries=0,
    bugs=0,
    too_late_at=None,
    lease_by=7,
)


def a_mail(**changes: Any) -> Mail:
    """Return a mail that is like all others but for `changes`."""
    return replace(MAIL, **changes)
