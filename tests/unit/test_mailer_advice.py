from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.mail_figures import ClosedGate, Done, Figures, Mailer, Waiting
from mailer.operator.advice import advise

NOON = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)
MAILER = Mailer(7, "here", NOON - timedelta(hours=1), NOON + timedelta(minutes=1), lives=True)
WELL = Figures(
    at=NOON,
    waiting=(),
    done=(Done("sent", "news", 12), Done("cancelled", "news", 1)),
    sent=(0, 0, 12),
    seconds_to_accept=(0.1, 0.2, 0.3),
    retries=(0, 0, 0, 0, 0, 0, 0),
    gates=(),
    mailers=(MAILER,),
)


def waiting(minutes: float) -> Waiting:
    return Waiting("news", 3, 2, 1, NOON - timedelta(minutes=minutes))


def gate(name: str, cause: str, next_probe_at: datetime | None = None) -> ClosedGate:
    return ClosedGate(name, cause, "so it is", NOON - timedelta(minutes=10), next_probe_at, 1)


def test_where_all_is_well_there_is_nothing_to_do() -> None:
    assert advise(WELL) == []
    assert advise(replace(WELL, waiting=(waiting(1),))) == []


@pytest.mark.parametrize(
    ("values", "first"),
    [
        pytest.param({"mailers": ()}, "No mailer is at work, and 0 mails are waiting", id="none"),
        pytest.param(
            {"mailers": (replace(MAILER, lives=False),), "waiting": (waiting(1),)},
            "No mailer is at work, and 3 mails are waiting",
            id="the only one is dead",
        ),
        pytest.param(
            {"gates": (gate("relay", "login", NOON + timedelta(minutes=2)),)},
            "Mail is held back for 10 min: so it is. To do: mend the account or its password: "
            "`make secret NAME=mail_password`; it is tried at once. "
            "It is tried again 2025-01-01 12:02:00 UTC (in 2 min).",
            id="the login is refused",
        ),
        pytest.param(
            {"gates": (gate("relay", "credentials"),)},
            "Mail is held back for 10 min: so it is. To do: set MAIL_USERNAME",
            id="no credentials",
        ),
        pytest.param(
            {"gates": (gate("relay", "another"),)},
            "Mail is held back for 10 min: so it is. To do: look at the log",
            id="a cause that nobody foresaw",
        ),
        pytest.param(
            {"gates": (gate("pause", "operator"),)},
            "All mail is paused for 10 min (so it is): `make mail-resume` ends it.",
            id="paused",
        ),
        pytest.param(
            {"gates": (gate("pause:news", "operator"),)},
            "Mail of kind news is paused for 10 min (so it is): `make mail-resume KIND=news` ends it.",
            id="a kind is paused",
        ),
        pytest.param(
            {"waiting": (waiting(3),)},
            "The mail that is due the longest waits for 3 min, and nothing holds it back",
            id="no progress",
        ),
        pytest.param(
            {"done": (Done("unsure", "codes", 1),)},
            "1 mail is unsure, it may have arrived",
            id="unsure",
        ),
        pytest.param(
            {"done": (Done("dead", "codes", 1), Done("dead", "news", 2))},
            "3 mails are given up",
            id="dead",
        ),
    ],
)
def test_what_is_not_well_says_what_to_do(values: dict[str, Any], first: str) -> None:
    (only,) = advise(replace(WELL, **values))

    assert only.startswith(first)


def test_mail_behind_a_closed_gate_is_no_lack_of_progress() -> None:
    behind = replace(WELL, waiting=(waiting(60),), gates=(gate("relay", "server"),))

    assert len(advise(behind)) == 1
