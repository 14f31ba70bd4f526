import pytest

from mailer.smtp.envelope import mail_command, rcpt_command, with_dots_doubled


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        pytest.param(b"a\r\n", b"a\r\n", id="as it is"),
        pytest.param(b"a", b"a\r\n", id="the last line is ended"),
        pytest.param(b"", b"\r\n", id="nothing"),
        pytest.param(b".\r\n..\r\na.b\r\n", b"..\r\n...\r\na.b\r\n", id="leading dots"),
        pytest.param(b"a\n.\nb\r\n", b"a\n..\nb\r\n", id="no other way out of the mail"),
        pytest.param(b".a\r\n", b"..a\r\n", id="a dot at the beginning"),
        pytest.param(b"a\r\n.", b"a\r\n..\r\n", id="a dot at the end"),
    ],
)
def test_content_cannot_end_itself(raw: bytes, sent: bytes) -> None:
    assert with_dots_doubled(raw) == sent


@pytest.mark.parametrize(
    ("offered", "raw", "command"),
    [
        pytest.param([], "\u00e4".encode(), b"MAIL FROM:<a@b>\r\n", id="nothing is offered"),
        pytest.param(["size", "8bitmime"], b"abc", b"MAIL FROM:<a@b> SIZE=3\r\n", id="plain ASCII"),
        pytest.param(
            ["size", "8bitmime"],
            "\u00e4".encode(),
            b"MAIL FROM:<a@b> SIZE=2 BODY=8BITMIME\r\n",
            id="eight bits",
        ),
    ],
)
def test_only_what_is_offered_is_asked_for(offered: list[str], raw: bytes, command: bytes) -> None:
    assert mail_command("a@b", raw, dict.fromkeys(offered, "")) == command


@pytest.mark.parametrize(
    "address", ["a@b\r\nDATA", "a@b\n", "\u00e4@b", "a@b> SIZE=1", "a\0@b", "<a@b"]
)
def test_address_that_would_leave_its_brackets_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="no command can hold"):
        rcpt_command(address)
