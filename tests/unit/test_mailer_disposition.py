from datetime import timedelta

import pytest

from common.outbox import HOLD, RESEND
from mailer.delivery.disposition import MOST_UNSURE_TRIES, OF_OURS, disposition
from mailer.delivery.retry import SCHEDULE
from mailer.smtp.errors import DeliveryError, Scope, Stage
from tests.unit.mails import a_mail

MOMENT = 5000.0


def an_error(
    scope: Scope, *, permanent: bool = False, wait: timedelta | None = None
) -> DeliveryError:
    return DeliveryError(
        "the relay said no", Stage.RECIPIENT, scope, permanent=permanent, code=450, wait=wait
    )


def test_mail_is_tried_again_on_schedule() -> None:
    told = disposition(a_mail(attempts=2), an_error(Scope.MESSAGE), 0, MOMENT)

    assert (told.state, told.delay) == (None, SCHEDULE[2])
    assert told.reason == "the relay said no"


@pytest.mark.parametrize("scope", [Scope.MESSAGE, Scope.RECIPIENT, Scope.SENDER])
def test_what_no_retry_helps_is_kept_as_dead(scope: Scope) -> None:
    assert disposition(a_mail(), an_error(scope, permanent=True), 0, MOMENT).state == "dead"


def test_what_the_relay_asks_to_wait_is_waited() -> None:
    wait = timedelta(minutes=5)

    assert disposition(a_mail(), an_error(Scope.RECIPIENT, wait=wait), 0, MOMENT).delay == wait


def test_a_shorter_wait_does_not_shorten_the_schedule() -> None:
    told = disposition(
        a_mail(attempts=5), an_error(Scope.RECIPIENT, wait=timedelta(minutes=5)), 0, MOMENT
    )

    assert told.delay == SCHEDULE[5]


def test_it_is_given_up_after_the_whole_schedule() -> None:
    told = disposition(a_mail(attempts=len(SCHEDULE)), an_error(Scope.MESSAGE), 0, MOMENT)

    assert told.state == "dead"
    assert told.reason == f"given up after {len(SCHEDULE) + 1} tries: the relay said no"


def test_it_expires_where_the_next_try_would_come_too_late() -> None:
    mail = a_mail(attempts=3, too_late_at=MOMENT + SCHEDULE[3].total_seconds())

    assert disposition(mail, an_error(Scope.MESSAGE), 0, MOMENT).state == "expired"


def test_it_is_tried_again_where_there_is_still_time() -> None:
    mail = a_mail(attempts=0, too_late_at=MOMENT + SCHEDULE[0].total_seconds() + 1)

    assert disposition(mail, an_error(Scope.MESSAGE), 0, MOMENT).state is None


@pytest.mark.parametrize(("policy", "state"), [(HOLD, "unsure"), (RESEND, None)])
def test_what_may_have_arrived_follows_the_policy_of_its_kind(
    policy: str, state: str | None
) -> None:
    assert disposition(a_mail(when_unsure=policy), an_error(Scope.UNSURE), 0, MOMENT).state == state


def test_a_crash_of_ours_is_no_reason_to_wait() -> None:
    error = DeliveryError("a mailer died", Stage.END, Scope.UNSURE, cause=OF_OURS)

    assert disposition(a_mail(), error, 0, MOMENT).delay == timedelta(0)


def test_what_may_have_arrived_again_and_again_is_not_sent_for_ever() -> None:
    mail = a_mail(unsure_tries=MOST_UNSURE_TRIES - 1)

    assert disposition(mail, an_error(Scope.UNSURE), 0, MOMENT).state == "unsure"


def test_what_may_have_arrived_is_never_called_dead() -> None:
    mail = a_mail(attempts=len(SCHEDULE), unsure_tries=1)

    assert disposition(mail, an_error(Scope.MESSAGE), 0, MOMENT).state == "unsure"
