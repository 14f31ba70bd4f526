"""The longest that a relay may take fits all that others promise of the mailer."""

import re
from datetime import timedelta

from mailer.connection import GOODBYE_SECONDS
from mailer.outbox import LEASE
from mailer.settings import LONGEST_TIMEOUT_SECONDS
from mailer.worker import PRESENCE_SECONDS
from tests.conftest import ROOT
from web.condition import BEAT_IS_OLD

# Either logging in, after a goodbye to the last connection, or a mail, and a goodbye after it.
LONGEST_SECONDS = LONGEST_TIMEOUT_SECONDS + GOODBYE_SECONDS
DATABASE_SECONDS = 5


def number_in_compose(pattern: str) -> int:
    """Return the number that the pattern finds in the mailer's part of compose.yaml."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    found = re.search(rf"^  mailer:\n(?:    .*\n)*?    {pattern}", text, flags=re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_slow_relay_does_not_make_the_mailer_look_dead_on_the_status_page() -> None:
    slowest = timedelta(seconds=PRESENCE_SECONDS + LONGEST_SECONDS + DATABASE_SECONDS)

    assert slowest <= BEAT_IS_OLD


def test_slow_relay_does_not_make_the_mailer_look_stuck() -> None:
    allowed = number_in_compose(r'healthcheck: .*common\.heartbeat, "(\d+)"')

    assert allowed >= LONGEST_SECONDS + DATABASE_SECONDS


def test_mail_on_the_wire_is_finished_before_the_mailer_is_killed() -> None:
    grace = number_in_compose(r"stop_grace_period: (\d+)s")

    # Said farewell after a login that took its time, and again at the end.
    assert grace >= LONGEST_SECONDS + GOODBYE_SECONDS + DATABASE_SECONDS


def test_mail_on_the_wire_is_nobody_elses() -> None:
    assert timedelta(seconds=LONGEST_SECONDS + DATABASE_SECONDS) < LEASE / 2
