"""What the outbox refuses before it touches the database."""

from unittest.mock import create_autospec

import pytest
from sqlalchemy import Connection

from common.outbox import BadAddressError, enqueue


@pytest.mark.parametrize(
    "recipient",
    [
        pytest.param("nobody", id="no at sign"),
        pytest.param("a@example.org\r\nBcc: b@example.org", id="a second header"),
        pytest.param("a@example.org\n", id="a trailing newline"),
        pytest.param("a b@example.org", id="a space"),
        pytest.param("a@b@example.org", id="two at signs"),
        pytest.param("<a@example.org>", id="angle brackets"),
        pytest.param("ä@example.org", id="not ASCII"),
        pytest.param("a@" + "x" * 10_000, id="10 kB"),
        pytest.param("", id="nothing"),
    ],
)
def test_bad_address_is_refused_and_nothing_is_queued(recipient: str) -> None:
    connection = create_autospec(Connection, instance=True)

    with pytest.raises(BadAddressError, match="not an address"):
        enqueue(
            connection,
            kind="test",
            sender="keelson@example.org",
            recipient=recipient,
            subject="Hello",
            message_id="<1@example.org>",
            raw=b"",
        )

    connection.execute.assert_not_called()
