"""A mail that goes once more: when it may, and what differs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailer.operator.copies import Sent, obstacle, renewed

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def a_sent_mail(**values: Any) -> Sent:
    complete: dict[str, Any] = {
        "state": "sent",
        "kind": "notice",
        "priority": 5,
        "sender": "us@example.org",
        "recipient": "ada@example.net",
        "subject": "hello",
        "when_unsure": "resend",
        "request_id": None,
        "expires_at": None,
        "raw": b"Subject: hello\r\n\r\nhello\r\n",
        "is_suppressed": False,
        **values,
    }
    return Sent(**complete)


def test_mail_that_was_sent_may_go_once_more() -> None:
    assert obstacle(a_sent_mail(expires_at=NOON + timedelta(seconds=1)), NOON) is None


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"state": "dead"}, "it is dead, and was not sent"),
        ({"state": "queued"}, "retry sends the mail itself"),
        ({"when_unsure": "hold"}, "a second mail of kind notice does harm"),
        ({"raw": None}, "its content was removed"),
        ({"expires_at": NOON}, "is worth nothing any more"),
        ({"is_suppressed": True}, "its address gets no more mail"),
    ],
)
def test_mail_that_must_not_go_twice_is_refused_with_the_reason(
    values: dict[str, Any], why: str
) -> None:
    assert why in (obstacle(a_sent_mail(**values), NOON) or "")


def test_copy_has_an_id_and_a_date_of_its_own_and_else_the_same_bytes() -> None:
    raw = (
        b"To: ada@example.net\r\nmessage-id:\r\n <old@example.org>\r\nSubject: x\r\n"
        b"Date: Mon, 1 Feb 2027 00:00:00 +0000\r\n\r\nMessage-ID: in the text\r\n\r\nDate: too\r\n"
    )

    copy = renewed(raw, "<new@example.org>", NOON)

    assert copy == (
        b"Date: Mon, 01 Mar 2027 12:00:00 +0000\r\nMessage-ID: <new@example.org>\r\n"
        b"To: ada@example.net\r\nSubject: x\r\n\r\nMessage-ID: in the text\r\n\r\nDate: too\r\n"
    )


def test_mail_without_a_text_stays_one() -> None:
    assert renewed(b"Subject: x\r\n\r\n", "<new@example.org>", NOON).endswith(b"Subject: x\r\n\r\n")
