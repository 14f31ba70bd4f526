"""Mail as its callers write it: what is queued, and for whom."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from unittest.mock import create_autospec

import pytest
from flask import Flask
from flask_mail import Message
from sqlalchemy.orm import Session

from common.outbox import BadAddressError, BadMailError
from tests.web_app import an_app
from web.mail import mail
from web.mail.kinds import CONFIRM, KINDS, NOTICE, Kind
from web.mail.mail import Reader

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LINK = "https://status.example.org/subscribe/confirm/token"
ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"


@pytest.fixture(scope="module")
def app() -> Flask:
    return an_app(
        base_url="https://status.example.org",
        mail_default_sender="Störungen <status@example.org>",
    )


@pytest.fixture(autouse=True)
def request_context(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


@pytest.fixture
def session() -> Any:
    fake = create_autospec(Session, instance=True)
    fake.execute.return_value.one.return_value.mails = 1
    return fake


def queued(session: Any) -> dict[str, Any]:
    """Return what was handed to the database, once."""
    session.execute.assert_called_once()
    values: dict[str, Any] = session.execute.call_args.args[1]
    return values


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert all(not part.defects for part in message.walk())
    assert all(not value.defects for value in message.values())
    return message


def confirmation() -> Message:
    return mail.write(CONFIRM, "Confirm", ADA, host="status.example.org", link=LINK, hours=48)


def test_mail_has_its_headers_before_it_is_queued(session: Any) -> None:
    message = confirmation()
    mail.queue(session, message, CONFIRM, now=NOON)

    values = queued(session)
    sent = read(values["content"])
    assert sent["To"] == ADA
    assert sent["From"] == "Störungen <status@example.org>"
    assert sent["Date"].datetime == NOON
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["Message-ID"] == values["message_ids"][0] == message.msgId
    assert sent["Message-ID"].endswith("@status.example.org>")  # Flask-Mail names the container
    assert values["sender"] == "status@example.org"


def test_both_of_its_texts_hold_the_link(session: Any) -> None:
    mail.queue(session, confirmation(), CONFIRM, now=NOON)

    sent = read(queued(session)["content"])

    texts = [sent.get_body((kind,)) for kind in ("plain", "html")]
    assert all(text and LINK in text.get_content() for text in texts)


def test_everyone_gets_the_same_bytes_which_do_not_name_bcc(session: Any) -> None:
    message = Message("Hello", [ADA], "Hello", cc=[BOB], bcc=[("Eve", EVE), ADA.upper()])
    mail.queue(session, message, CONFIRM, now=NOON)

    values = queued(session)
    assert values["recipients"] == [ADA, BOB, EVE]
    assert values["heads"] == [b""] * 3
    assert len(set(values["message_ids"])) == 1
    assert b"eve" not in values["content"].lower()
    assert read(values["content"])["Cc"] == BOB


def test_mail_to_bcc_alone_names_nobody(session: Any) -> None:
    mail.queue(session, Message("Hello", body="Hello", bcc=[EVE]), CONFIRM, now=NOON)

    assert read(queued(session)["content"])["To"] == "undisclosed-recipients:;"


def test_recipients_are_named_in_the_order_given(session: Any) -> None:
    given = [f"{name}@example.org" for name in "gfedcba"]
    mail.queue(session, Message("Hello", [*given], "Hello"), CONFIRM, now=NOON)

    addresses = read(queued(session)["content"])["To"].addresses
    assert [address.addr_spec for address in addresses] == given


def test_the_same_message_queued_twice_is_two_mails(session: Any) -> None:
    message = confirmation()
    mail.queue(session, message, CONFIRM, now=NOON)
    first = message.msgId
    mail.queue(session, message, CONFIRM, now=NOON)

    assert message.msgId != first


@pytest.mark.parametrize(
    ("terms", "due_at", "expires_at"),
    [
        pytest.param({}, None, NOON + timedelta(hours=48), id="its kind's lifetime"),
        pytest.param(
            {"send_after": NOON + timedelta(hours=1)},
            NOON + timedelta(hours=1),
            NOON + timedelta(hours=49),
            id="from when it may be sent",
        ),
        pytest.param(
            {"expires_at": NOON + timedelta(minutes=15)},
            None,
            NOON + timedelta(minutes=15),
            id="its own",
        ),
    ],
)
def test_mail_is_not_sent_once_it_is_worth_nothing(
    session: Any, terms: Any, due_at: datetime | None, expires_at: datetime
) -> None:
    mail.queue(session, confirmation(), CONFIRM, now=NOON, **terms)

    values = queued(session)
    assert (values["due_at"], values["expires_at"]) == (due_at, expires_at)


def test_kind_says_how_the_mail_is_treated(session: Any) -> None:
    kind = Kind(name="alert", priority=2, when_unsure="hold")

    mail.queue(session, Message("", [ADA]), kind, now=NOON, dedupe_key="disk full")

    values = queued(session)
    shown = [values[name] for name in ("kind", "priority", "when_unsure", "dedupe_key")]
    assert shown == ["alert", 2, "hold", "disk full"]
    assert (values["expires_at"], values["skip_suppressed"]) == (None, False)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_has_its_texts(app: Flask, kind: Kind) -> None:
    names = set(app.jinja_env.list_templates())

    assert {f"mail/{kind.name}.txt", f"mail/{kind.name}.html"} <= names


def notice() -> Message:
    text = "Mail is slow.\nWe are looking into it."
    return mail.write(NOTICE, "Mail is slow", text=text, link=LINK, host="status.example.org")


def test_each_reader_gets_one_of_their_own_and_the_content_is_there_once(session: Any) -> None:
    readers = [Reader(1, ADA), Reader(2, BOB)]
    mail.queue_each(session, notice(), NOTICE, readers, now=NOON)

    values = queued(session)
    mails = [read(head + values["content"]) for head in values["heads"]]
    assert values["recipients"] == [one["To"] for one in mails] == [ADA, BOB]
    assert values["message_ids"] == [one["Message-ID"] for one in mails]
    assert len({one["List-Unsubscribe"] for one in mails}) == len(set(values["message_ids"])) == 2
    assert all(one["Subject"] == "Mail is slow" for one in mails)
    assert values["skip_suppressed"] is True
    for address in (ADA, BOB):
        assert address.encode() not in values["content"]


def test_bulk_mail_can_be_unsubscribed_from_with_one_click(session: Any) -> None:
    mail.queue_each(session, notice(), NOTICE, [Reader(1, ADA)], now=NOON)

    values = queued(session)
    (head,) = values["heads"]
    sent = read(head + values["content"])
    assert sent["List-Unsubscribe"].startswith("<https://status.example.org/unsubscribe/")
    assert sent["List-Unsubscribe"].endswith(">")
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "ada" not in sent["List-Unsubscribe"]


def test_mail_to_one_has_no_link_to_unsubscribe(session: Any) -> None:
    mail.queue(session, confirmation(), CONFIRM, now=NOON)

    assert b"List-Unsubscribe" not in queued(session)["content"]


def test_text_of_a_notice_keeps_its_lines_and_no_markup_of_its_writer(session: Any) -> None:
    message = mail.write(NOTICE, "Slow", text="<b>one</b>\ntwo", link=LINK, host="x")
    mail.queue_each(session, message, NOTICE, [Reader(1, ADA)], now=NOON)

    sent = read(queued(session)["content"])
    plain, html = (sent.get_body((kind,)) for kind in ("plain", "html"))
    assert plain
    assert html
    assert "<b>one</b>\r\ntwo" in plain.get_content()
    assert "&lt;b&gt;one&lt;/b&gt;\r\ntwo" in html.get_content()


def test_bulk_mail_goes_by_queue_each_alone_and_other_mail_never_does(session: Any) -> None:
    with pytest.raises(BadMailError, match="use queue_each"):
        mail.queue(session, Message("", [ADA]), NOTICE, now=NOON)
    with pytest.raises(BadMailError, match="use queue"):
        mail.queue_each(session, Message(""), CONFIRM, [Reader(1, ADA)], now=NOON)
    with pytest.raises(BadMailError, match="leave them out"):
        mail.queue_each(session, Message("", [ADA]), NOTICE, [Reader(2, BOB)], now=NOON)

    session.execute.assert_not_called()


@pytest.mark.parametrize("address", [f"{ADA}\r\nBcc: {EVE}", "nobody", "ä@example.org"])
def test_bad_address_of_one_reader_is_refused(session: Any, address: str) -> None:
    readers = [Reader(1, BOB), Reader(2, address)]

    with pytest.raises(BadAddressError, match="not an address"):
        mail.queue_each(session, notice(), NOTICE, readers, now=NOON)

    session.execute.assert_not_called()
