"""Mail arrives as it was written: the bytes are what any server takes, and say the same when read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.header import decode_header, make_header
from email.message import EmailMessage, MIMEPart

import pytest
from flask_mail import Attachment, Message
from hypothesis import given
from hypothesis import strategies as st

from common.outbox import BadMailError, check_lines
from tests.web_app import an_app
from web.mail import mime

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
ADA = "ada@example.org"


@pytest.fixture(autouse=True, scope="module")
def request_context() -> Iterator[None]:
    with an_app().test_request_context():
        yield


def sent(message: Message) -> tuple[bytes, EmailMessage]:
    """Return the mail's bytes, which any server takes, and what a mail program makes of them."""
    raw = mime.to_whom(message).encode() + mime.content(message, NOON)
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    check_lines(raw, "mail")
    read = message_from_bytes(raw, policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert all(not part.defects for part in read.walk())
    assert all(not value.defects for value in read.values())
    return raw, read


def text_of(part: MIMEPart) -> str:
    """Return the part's text, with the line ends that Python has."""
    return str(part.get_content()).replace("\r\n", "\n")


TEXTS = [
    pytest.param("Hello\n", "7bit", id="plain"),
    pytest.param("", "7bit", id="empty"),
    pytest.param("one\r\ntwo\rthree\n", "7bit", id="line ends of all kinds"),
    pytest.param(".\n..\n.hidden\n", "7bit", id="dots"),
    pytest.param("From here\n", "7bit", id="a line that mailboxes take for a new mail"),
    pytest.param("x" * 998 + "\n", "7bit", id="the longest line"),
    pytest.param("x" * 999 + "\n", "quoted-printable", id="one more"),
    pytest.param("Viele Grüße aus der Stadt\n", "quoted-printable", id="a few other letters"),
    pytest.param("ends in space \nand a tab\t\nü\n", "quoted-printable", id="space at the end"),
    pytest.param("ü and more\n.\n..\n", "quoted-printable", id="dots beside other letters"),
    pytest.param("a\0b\x0c\x1b and more text\n", "quoted-printable", id="control characters"),
    pytest.param("здравствуйте, 世界 😀\n", "base64", id="mostly other letters"),
    pytest.param("世" * 5000 + "\n", "base64", id="in one long line"),
    pytest.param(
        "a\u2028b\x85c, and a good deal more of it\n",
        "quoted-printable",
        id="line ends that are none",
    ),
]


@pytest.mark.parametrize(("text", "encoding"), TEXTS)
def test_text_arrives_as_it_was_written(text: str, encoding: str) -> None:
    _, read = sent(Message("", [ADA], text))

    payload = read.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert read["Content-Transfer-Encoding"] == encoding
    expected = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n") + "\n"
    assert payload.decode().replace("\r\n", "\n") == expected


SUBJECTS = [
    pytest.param("Hello", id="plain"),
    pytest.param("Störung — jetzt 😀", id="other letters"),
    pytest.param("x" * 5000, id="one long word"),
    pytest.param("many words " * 500, id="many words"),
    pytest.param("世界" * 500, id="long and other letters"),
    pytest.param("=?utf-8?q?not_encoded?=", id="as if it were encoded"),
    pytest.param("a\tb  c", id="tab and spaces"),
    pytest.param('"quoted" <a@example.org>, b', id="as if it were an address"),
    pytest.param("ä" * 30 + " " + "ö" * 30, id="a space between encoded words"),
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subject_arrives_as_it_was_written(subject: str) -> None:
    raw, read = sent(Message(subject, [ADA], ""))

    assert read["Subject"].rstrip() == subject.rstrip()
    assert max(map(len, raw.split(b"\r\n"))) <= 100


@pytest.mark.parametrize(
    ("given", "name"),
    [
        pytest.param(ADA, "", id="none"),
        pytest.param(f"<{ADA}>", "", id="none, in brackets"),
        pytest.param(f"Ada <{ADA}>", "Ada", id="a word"),
        pytest.param(f'"Lovelace, Ada" <{ADA}>', "Lovelace, Ada", id="quoted"),
        pytest.param(f'"a \\"b\\" @c" <{ADA}>', 'a "b" @c', id="quotes in quotes"),
        pytest.param(("Lovelace, Ada", ADA), "Lovelace, Ada", id="a comma, in a pair"),
        pytest.param(("ada@example.com", ADA), "ada@example.com", id="another address as the name"),
        pytest.param(("Grüße, Ada", ADA), "Grüße, Ada", id="other letters and a comma"),
        pytest.param(("=?utf-8?q?x?=", ADA), "=?utf-8?q?x?=", id="as if it were encoded"),
        pytest.param(("Ada " * 50, ADA), ("Ada " * 50).strip(), id="long"),
        pytest.param(("Ada (she) [1] <x> \\", ADA), "Ada (she) [1] <x> \\", id="all else"),
    ],
)
def test_name_beside_an_address_arrives_as_it_was_written(
    given: str | tuple[str, str], name: str
) -> None:
    _, read = sent(Message("", [given, "bob@example.org"], "", reply_to=given))

    ada, bob = read["To"].addresses
    assert (ada.display_name, ada.addr_spec) == (name, ADA)
    assert bob.addr_spec == "bob@example.org"
    assert read["Reply-To"].addresses[0].display_name == name


def test_comma_in_the_senders_name_makes_no_second_sender() -> None:
    _, read = sent(Message("", [ADA], "", sender=("Keelson, Status", "k@example.org")))

    (sender,) = read["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Keelson, Status", "k@example.org")


def test_host_with_other_letters_is_in_punycode() -> None:
    _, read = sent(Message("", ["ada@bücher.example"], "", sender="k@bücher.example"))

    assert read["To"] == "ada@xn--bcher-kva.example"
    assert read["From"] == "k@xn--bcher-kva.example"


def test_all_its_texts_are_alternatives_the_best_one_last() -> None:
    _, read = sent(Message("", [ADA], "plain", "<p>html", alts={"calendar": "BEGIN"}))

    assert read.get_content_type() == "multipart/alternative"
    types = [part.get_content_type() for part in read.iter_parts()]
    assert types == ["text/plain", "text/calendar", "text/html"]


def test_html_alone_needs_no_other_part() -> None:
    _, read = sent(Message("", [ADA], html="<p>Grüße"))

    assert read.get_content_type() == "text/html"
    assert text_of(read) == "<p>Grüße\n"


@pytest.mark.parametrize(
    "name",
    [
        "a.txt",
        "two words (1).pdf",
        "Übersicht.pdf",
        'q"uo\\te;.pdf',
        "x" * 200 + ".txt",
        "世界" * 100 + ".txt",
    ],
)
@pytest.mark.parametrize("data", [b"", bytes(range(256)) * 100, b"\r\n.\r\n", "Grüße\n"])
def test_attachment_arrives_with_its_name_and_its_bytes(name: str, data: bytes | str) -> None:
    message = Message("", [ADA], "See the file.")
    message.attach(name, "application/octet-stream", data)

    _, read = sent(message)

    text, file = read.iter_parts()
    assert text_of(text) == "See the file.\n"
    assert file.get_filename() == name
    assert file.get_content() == (data.encode() if isinstance(data, str) else data)


def test_attachment_keeps_its_type_its_headers_and_how_to_show_it() -> None:
    message = Message("", [ADA], html="<img src=cid:1>")
    headers = {"Content-ID": "<1>", "X-Note": "Grüße"}
    message.attach("a.csv", "text/csv; header=present", b"a\r\n", "inline", headers)

    _, read = sent(message)

    file = list(read.iter_parts())[1]
    assert file["Content-Type"] == 'text/csv; header="present"'
    assert file.get_content_disposition() == "inline"
    assert (file["Content-ID"], file["X-Note"]) == ("<1>", "Grüße")


def test_file_without_a_name_is_attached_all_the_same() -> None:
    _, read = sent(Message("", [ADA], "", attachments=[Attachment(None, "image/png", b"\x89")]))

    file = list(read.iter_parts())[1]
    assert (file.get_filename(), file.get_content()) == (None, b"\x89")


def test_extra_headers_stay_as_they_are_or_are_encoded() -> None:
    extra = {"References": "<1@x> <2@x>", "X-Note": "Grüße"}

    raw, read = sent(Message("", [ADA], "", extra_headers=extra))

    assert b"References: <1@x> <2@x>\r\n" in raw
    assert read["X-Note"] == "Grüße"


def test_date_is_the_messages_own_or_now() -> None:
    _, undated = sent(Message("", [ADA], ""))
    _, dated = sent(Message("", [ADA], "", date=0))

    assert undated["Date"].datetime == NOON
    assert dated["Date"].datetime == datetime(1970, 1, 1, tzinfo=UTC)


def test_text_with_half_a_character_is_refused() -> None:
    with pytest.raises(BadMailError, match="text/plain has half a character in it, at character 3"):
        mime.content(Message("", [ADA], "ab\ud800"), NOON)


def test_two_mails_share_no_boundary() -> None:
    boundaries = {sent(Message("", [ADA], "a", "b"))[1].get_boundary() for _ in range(2)}

    assert len(boundaries) == 2


@given(st.text(max_size=300))
def test_any_subject_is_refused_or_arrives(subject: str) -> None:
    try:
        raw = mime.content(Message(subject, [ADA]), NOON)
    except BadMailError:
        return

    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    folded = message_from_string(head).get("Subject", "")
    check_lines(raw, "mail")
    assert "\r" not in head.replace("\r\n", "")
    assert str(make_header(decode_header(folded))).strip() == subject.strip()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=2000))
def test_any_text_arrives(text: str) -> None:
    _, read = sent(Message("", [ADA], text))

    payload = read.get_payload(decode=True)
    assert isinstance(payload, bytes)
    expected = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n") + "\n"
    assert payload.decode().replace("\r\n", "\n") == expected
