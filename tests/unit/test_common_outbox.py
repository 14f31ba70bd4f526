"""What the outbox refuses before it touches the database."""

from unittest.mock import create_autospec

import pytest
from sqlalchemy import Connection

from common.outbox import (
    LARGEST_CONTENT,
    LETTERS_AT_ONCE,
    BadAddressError,
    BadMailError,
    Handling,
    Letter,
    enqueue,
    portions,
)


def refusal(recipient: str = "a@example.org", content: bytes = b"", head: bytes = b"") -> str:
    """Return why this mail is refused, and see that nothing of it was queued."""
    connection = create_autospec(Connection, instance=True)
    letters = [Letter("good@example.org", "<1@example.org>"), Letter(recipient, "<2@x>", head)]
    with pytest.raises(BadMailError) as raised:
        enqueue(
            connection,
            Handling(kind="test"),
            sender="keelson@example.org",
            subject="Hello",
            content=content,
            letters=letters,
        )
    connection.execute.assert_not_called()
    assert isinstance(raised.value, BadAddressError) == (recipient != "a@example.org")
    return str(raised.value)


@pytest.mark.parametrize(
    "recipient",
    [
        pytest.param("nobody", id="no at sign"),
        pytest.param("a@example.org\r\nBcc: b@example.org", id="a second header"),
        pytest.param("a@example.org\n", id="a trailing newline"),
        pytest.param("a b@example.org", id="a space"),
        pytest.param("a@b@example.org", id="two at signs"),
        pytest.param("<a@example.org>", id="angle brackets"),
        pytest.param("a,b@example.org", id="two in a header"),
        pytest.param("(b)a@example.org", id="a comment"),
        pytest.param("a@[127.0.0.1", id="half a literal"),
        pytest.param("ä@example.org", id="not ASCII"),
        pytest.param("a@" + "x" * 10_000, id="10 kB"),
        pytest.param("", id="nothing"),
    ],
)
def test_bad_address_is_refused_and_nothing_is_queued(recipient: str) -> None:
    assert "not an address" in refusal(recipient)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        pytest.param(b"To: a\r\n\r\nBcc: b\r\n", "not header lines", id="an empty line"),
        pytest.param(b"To: a\nBcc: b\r\n", "not header lines", id="a bare LF"),
        pytest.param(b"To: a\rBcc: b\r\n", "not header lines", id="a bare CR"),
        pytest.param(b"To: a", "not header lines", id="no end"),
        pytest.param(b"hello\r\n", "not header lines", id="no colon"),
        pytest.param(b"To: " + b"a" * 1000 + b"\r\n", "line 1 of the head", id="too long"),
    ],
)
def test_head_that_is_more_or_less_than_headers_is_refused(head: bytes, said: str) -> None:
    assert said in refusal(head=head)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"Subject: a\n\nhello\n", "not CRLF", id="LF"),
        pytest.param(b"Subject: a\r\n\r\nhel\rlo\r\n", "not CRLF", id="a CR alone"),
        pytest.param(b"\n\r", "not CRLF", id="the wrong way round"),
        pytest.param(b"\r\n" + b"x" * 999 + b"\r\n", "line 2 of the content", id="too long"),
        pytest.param(b"x" * 999, "line 1 of the content has 999 bytes", id="too long at the end"),
    ],
)
def test_content_that_smtp_cannot_take_is_refused(content: bytes, said: str) -> None:
    assert said in refusal(content=content)


def test_content_that_no_relay_takes_is_refused_with_its_size() -> None:
    said = refusal(content=(b"x" * 76 + b"\r\n") * (LARGEST_CONTENT // 78 + 1))

    assert "the content has 25000014 bytes, and 25000000 are allowed" in said


def test_longest_line_and_folded_headers_are_taken() -> None:
    connection = create_autospec(Connection, instance=True)
    connection.execute.return_value.one.return_value.mails = 1

    queued = enqueue(
        connection,
        Handling(kind="test"),
        sender="keelson@example.org",
        subject="Hello",
        content=b"\r\n" + b"x" * 998 + b"\r\n",
        letters=[Letter("a@[192.0.2.1]", "<1@x>", b"To: a,\r\n b\r\nX:\r\n")],
    )

    assert queued == 1


def test_letters_are_taken_in_portions_that_hold_all_of_them() -> None:
    letters = [Letter("a@example.org", f"<{n}@x>") for n in range(LETTERS_AT_ONCE + 1)]

    sizes = [len(portion) for portion in portions(letters)]

    assert sizes == [LETTERS_AT_ONCE, 1]
