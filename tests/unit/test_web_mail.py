from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.web_app import an_app
from web.mail import compose

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LINK = "https://status.example.org/subscribe/confirm/token"


def composed(**given: object) -> tuple[bytes, EmailMessage]:
    context: dict[str, object] = {"host": "status.example.org", "link": LINK, "hours": 48}
    app = an_app(base_url="https://status.example.org", **given)
    with app.test_request_context():
        raw = compose("confirm", "ada@example.org", "Confirm", NOON, context).as_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return raw, message


def test_mail_has_its_headers_before_it_is_queued() -> None:
    _, message = composed(mail_default_sender="Störungen <status@example.org>")

    assert message["To"] == "ada@example.org"
    assert message["From"] == "Störungen <status@example.org>"
    assert message["Date"].datetime == NOON
    assert message["Message-ID"].endswith("@status.example.org>")
    assert message["Auto-Submitted"] == "auto-generated"


def test_both_of_its_texts_hold_the_link() -> None:
    _, message = composed()

    texts = [message.get_body((kind,)) for kind in ("plain", "html")]

    assert all(text and LINK in text.get_content() for text in texts)


def test_bytes_are_what_any_server_takes() -> None:
    raw, _ = composed()

    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
