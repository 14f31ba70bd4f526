import smtplib

import pytest

from mailer.connection import options, with_dots_doubled


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        pytest.param(b"a\r\n", b"a\r\n.\r\n", id="a dot ends it"),
        pytest.param(b"a", b"a\r\n.\r\n", id="the last line is ended"),
        pytest.param(b"", b"\r\n.\r\n", id="nothing"),
        pytest.param(b".\r\n..\r\na.b\r\n", b"..\r\n...\r\na.b\r\n.\r\n", id="leading dots"),
        pytest.param(b"a\n.\nb\r\n", b"a\n..\nb\r\n.\r\n", id="no other way out of the mail"),
    ],
)
def test_content_cannot_end_itself(raw: bytes, sent: bytes) -> None:
    assert with_dots_doubled(raw) == sent


@pytest.mark.parametrize(
    ("offered", "raw", "chosen"),
    [
        pytest.param([], "\u00e4".encode(), [], id="nothing is offered"),
        pytest.param(["size", "8bitmime"], b"abc", ["SIZE=3"], id="plain ASCII"),
        pytest.param(
            ["size", "8bitmime"], "\u00e4".encode(), ["SIZE=2", "BODY=8BITMIME"], id="eight bits"
        ),
    ],
)
def test_only_what_is_offered_is_asked_for(
    offered: list[str], raw: bytes, chosen: list[str]
) -> None:
    host = smtplib.SMTP()
    host.esmtp_features = dict.fromkeys(offered, "")

    assert options(host, raw) == chosen
