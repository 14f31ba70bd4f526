"""What is no mail is refused while its sender still hears of it, and nothing of it is queued."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import create_autospec

import pytest
from flask_mail import Attachment, Message
from sqlalchemy.orm import Session

from common.outbox import BadAddressError, BadMailError
from tests.web_app import an_app
from web.mail import mail
from web.mail.kinds import CONFIRM

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
INJECTED = "x\r\nBcc: eve@example.org"


@pytest.fixture(autouse=True, scope="module")
def request_context() -> Iterator[None]:
    with an_app().test_request_context():
        yield


@pytest.fixture
def session() -> Any:
    return create_autospec(Session, instance=True)


@pytest.mark.parametrize("bad", [INJECTED, "x\n", "x\ry", "x\0y", "x\u2028y", "x\x85y"])
@pytest.mark.parametrize(
    ("header", "make"),
    [
        ("Subject", lambda bad: Message(bad, [ADA])),
        ("From", lambda bad: Message("", [ADA], sender=f"{bad} <a@example.org>")),
        ("From", lambda bad: Message("", [ADA], sender=(bad, "a@example.org"))),
        ("From", lambda bad: Message("", [ADA], sender=f"a@example.org{bad}")),
        ("Reply-To", lambda bad: Message("", [ADA], reply_to=f"{bad} <a@example.org>")),
        ("To", lambda bad: Message("", [ADA, f"{bad} <a@example.org>"])),
        ("To", lambda bad: Message("", [(bad, ADA)])),
        ("To", lambda bad: Message("", [("Ada", f"{ADA}{bad}")])),
        ("Cc", lambda bad: Message("", [ADA], cc=[f"{ADA}{bad}"])),
        ("Cc", lambda bad: Message("", [ADA], cc=[(bad, ADA)])),
        ("Bcc", lambda bad: Message("", [ADA], bcc=[f"{ADA}{bad}"])),
        ("Bcc", lambda bad: Message("", [ADA], bcc=[(bad, ADA)])),
        ("X-A", lambda bad: Message("", [ADA], extra_headers={"X-A": bad})),
        ("name of a header", lambda bad: Message("", [ADA], extra_headers={f"X{bad}": "1"})),
        ("filename", lambda bad: with_file(filename=bad)),
        ("Content-Disposition", lambda bad: with_file(disposition=bad)),
        ("content type", lambda bad: with_file(content_type=f"text/{bad}")),
        ("content type", lambda bad: with_file(content_type=f"text/plain; a={bad}")),
        ("X-B", lambda bad: with_file(headers={"X-B": bad})),
        ("name of a header", lambda bad: with_file(headers={f"X{bad}": "1"})),
        ("content type", lambda bad: Message("", [ADA], alts={bad: "hello"})),
    ],
)
def test_line_break_in_any_header_is_refused_by_its_name(
    session: Any, header: str, make: Any, bad: str
) -> None:
    with pytest.raises(BadMailError, match=header):
        mail.queue(session, make(bad), CONFIRM, now=NOON)

    session.execute.assert_not_called()


def with_file(**given: Any) -> Message:
    return Message("", [ADA], attachments=[Attachment(data=b"", **{"filename": "a"} | given)])


@pytest.mark.parametrize(
    "name",
    ["Bcc", "to", "FROM", "Message-ID", "Content-Type", "MIME-Version", "List-Unsubscribe-Post"],
)
def test_header_that_would_stand_there_twice_is_refused(session: Any, name: str) -> None:
    with pytest.raises(BadMailError, match=f"{name}: not among extra_headers"):
        mail.queue(session, Message("", [ADA], extra_headers={name: EVE}), CONFIRM, now=NOON)

    session.execute.assert_not_called()


@pytest.mark.parametrize("make", [Message, lambda: Message("Hello", [], cc=[], bcc=[])])
def test_mail_to_nobody_is_refused(session: Any, make: Any) -> None:
    with pytest.raises(BadMailError, match="has no recipients"):
        mail.queue(session, make(), CONFIRM, now=NOON)


@pytest.mark.parametrize(
    "address",
    ["nobody", "", f"{ADA}, {BOB}", f"{ADA}, Bob <{BOB}>", f"{ADA} {BOB}", f"<{ADA}> <{BOB}>"],
)
@pytest.mark.parametrize("field", ["recipients", "cc", "bcc"])
def test_what_is_not_one_address_is_refused(session: Any, field: str, address: str) -> None:
    message = Message("", [ADA])
    getattr(message, field).append(address)

    with pytest.raises(BadAddressError, match="address"):
        mail.queue(session, message, CONFIRM, now=NOON)

    session.execute.assert_not_called()


def test_options_that_the_outbox_cannot_keep_are_refused(session: Any) -> None:
    message = Message("", [ADA], mail_options=["SMTPUTF8"])

    with pytest.raises(BadMailError, match="mail_options"):
        mail.queue(session, message, CONFIRM, now=NOON)
