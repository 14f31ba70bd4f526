import struct

import pytest

from mailer.upkeep.expiry import (
    ABANDONED_SECONDS,
    GRACE_SECONDS,
    Fate,
    fate_of_session,
    fate_of_unfinished,
)

NOW = 1_800_000_000
HOUR = ABANDONED_SECONDS


def head(expires_at: float) -> bytes:
    return struct.pack("I", int(expires_at))


@pytest.mark.parametrize(
    ("begins", "age_seconds", "fate"),
    [
        pytest.param(head(NOW + 1800), 0, Fate.KEEP, id="just written"),
        pytest.param(head(NOW + 1), 9 * HOUR, Fate.KEEP, id="age does not matter, expiry does"),
        pytest.param(head(NOW), 1800, Fate.KEEP, id="expires now"),
        pytest.param(head(NOW - GRACE_SECONDS), 1800, Fate.KEEP, id="a request may be under way"),
        pytest.param(head(NOW - GRACE_SECONDS - 1), 60, Fate.EXPIRED, id="expired for a while"),
        pytest.param(head(1), 9 * HOUR, Fate.EXPIRED, id="expired long ago"),
        pytest.param(head(2**32 - 1), 9 * HOUR, Fate.KEEP, id="the last second that fits"),
        pytest.param(head(0), 9 * HOUR, Fate.KEEP, id="never expires"),
        pytest.param(b"", HOUR, Fate.KEEP, id="empty, an hour old"),
        pytest.param(b"\1\0\0", HOUR + 1, Fate.ABANDONED, id="cut off, older than an hour"),
        pytest.param(b"", -HOUR, Fate.KEEP, id="written in the future: the clock was set back"),
    ],
)
def test_session_goes_once_web_has_refused_it_for_a_while(
    begins: bytes, age_seconds: float, fate: Fate
) -> None:
    assert fate_of_session(begins, age_seconds, NOW) is fate


@pytest.mark.parametrize(
    ("age_seconds", "fate"),
    [(-1, Fate.KEEP), (0, Fate.KEEP), (HOUR, Fate.KEEP), (HOUR + 1, Fate.ABANDONED)],
)
def test_file_that_was_never_finished_goes_after_an_hour(age_seconds: float, fate: Fate) -> None:
    assert fate_of_unfinished(age_seconds) is fate
