from datetime import timedelta

import pytest

from common.outbox import HOLD, RESEND
from mailer.delivery.disposition import OF_OURS, disposition
from mailer.delivery.retry import SCHEDULE
from mailer.smtp.errors import DeliveryError, Scope, Stage
from tests.unit.mails import NOW, a_mail


def an_error(
    scope: Scope, *, permanent: bool = False, wait: timedelta | None = None
) -> DeliveryError:
    return DeliveryError(
        "the relay said no", Stage.RECIPIENT, scope, permanent=permanent, code=450, wait=wait
    )


def test_mail_is_tried_again_on_schedule() -> None:
    told = disposition(a_mail(attempts=2), an_error(Scope.MESSAGE), 0, NOW)

    assert (told.state, told.delay) == (None, SCHEDULE[2])
    assert told.reason == "the relay said no"


@pytest.mark.parametrize("scope", [Scope.MESSAGE, Scope.RECIPIENT, Scope.SENDER])
def test_what_no_retry_helps_is_kept_as_dead(scope: Scope) -> None:
    assert disposition(a_mail(), an_error(scope, permanent=True), 0, NOW).state == "dead"


def test_what_the_relay_asks_to_wait_is_waited() -> None:
    wait = timedelta(minutes=5)

    assert disposition(a_mail(), an_error(Scope.RECIPIENT, wait=wait), 0, NOW).delay == wait


def test_a_shorter_wait_does_not_shorten_the_schedule() -> None:
    told = disposition(
        a_mail(attempts=5), an_error(Scope.RECIPIENT, wait=timedelta(minutes=5)), 0, NOW
    )

    assert told.delay == SCHEDULE[5]


def test_it_is_given_up_after_the_whole_schedule() -> None:
    told = disposition(a_mail(attempts=len(SCHEDULE)), an_error(Scope.MESSAGE), 0, NOW)

    assert told.state == "dead"
    assert told.reason == f"given up after {len(SCHEDULE) + 1} tries: the relay said no"


def test_it_expires_where_the_next_try_would_come_too_late() -> None:
    mail = a_mail(attempts=3, expires_at=NOW + SCHEDULE[3])

    assert disposition(mail, an_error(Scope.MESSAGE), 0, NOW).state == "expired"


def test_it_is_tried_again_where_there_is_still_time() -> None:
    mail = a_mail(attempts=0, expires_at=NOW + SCHEDULE[0] + timedelta(seconds=1))

    assert disposition(mail, an_error(Scope.MESSAGE), 0, NOW).state is None


@pytest.mark.parametrize(("policy", "state"), [(HOLD, "unsure"), (RESEND, None)])
def test_what_may_have_arrived_follows_the_policy_of_its_kind(
    policy: str, state: str | None
) -> None:
    assert disposition(a_mail(when_unsure=policy), an_error(Scope.UNSURE), 0, NOW).state == state


def test_a_crash_of_ours_is_no_reason_to_wait() -> None:
    error = DeliveryError("a mailer died", Stage.END, Scope.UNSURE, cause=OF_OURS)

    assert disposition(a_mail(), error, 0, NOW).delay == timedelta(0)
