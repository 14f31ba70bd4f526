import pytest

from common.outbox import NORMAL, URGENT
from mailer.delivery.quota import allowance
from tests.unit.mails import NOW


@pytest.mark.parametrize(
    ("used", "number", "passes", "holds"),
    [
        (0, 90, NORMAL, None),
        (89, 1, NORMAL, None),
        (90, 10, URGENT, NORMAL),
        (99, 1, URGENT, NORMAL),
        (100, 0, None, URGENT),
        (250, 0, None, URGENT),
    ],
)
def test_the_last_tenth_of_the_day_is_for_urgent_mail(
    used: int, number: int, passes: int | None, holds: int | None
) -> None:
    allowed = allowance(100, used, NOW)

    assert allowed.number == number
    assert passes is None or passes <= allowed.lowest_priority
    assert holds is None or holds > allowed.lowest_priority


def test_it_says_why_mail_waits_and_until_when() -> None:
    allowed = allowance(100, 95, NOW)

    assert allowed.reason is not None
    assert "last tenth of 100 mails" in allowed.reason
    assert allowed.free_at == NOW


def test_it_says_nothing_while_there_is_enough() -> None:
    assert allowance(100, 5, NOW).reason is None
