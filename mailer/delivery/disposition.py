"""What becomes of a mail after a try that failed."""

from dataclasses import dataclass
from datetime import timedelta

from common.outbox import HOLD
from mailer.delivery.outbox import Mail
from mailer.delivery.retry import next_delay
from mailer.smtp.errors import DeliveryError, Scope

OF_OURS = "crash"  # the cause of a failure that says nothing about the relay
# Mailers that may die with one mail in hand, before it is thought to be the reason.
LONGEST_CRASHES = 3
MOST_UNSURE_TRIES = 3  # a relay that takes a mail and never says so would have it each time


@dataclass(frozen=True, slots=True)
class Disposition:
    """A state that it keeps, or the time after which it is tried again."""

    reason: str
    state: str | None = None
    delay: timedelta | None = None


def disposition(mail: Mail, error: DeliveryError, spread: float, moment: float) -> Disposition:
    """Return what becomes of a mail that was tried and whose own affair the failure is.

    `spread` is a random number from -1 to 1, `moment` one of the clock of leases.
    """
    reason = str(error)
    unsure = error.scope is Scope.UNSURE
    if unsure and (mail.when_unsure == HOLD or mail.unsure_tries + 1 >= MOST_UNSURE_TRIES):
        return Disposition(reason, "unsure")
    if error.permanent:
        return Disposition(reason, "dead")
    delay = next_delay(mail.attempts + 1, spread)
    if delay is None:
        state = "unsure" if unsure or mail.unsure_tries else "dead"
        return Disposition(f"given up after {mail.attempts + 1} tries: {reason}", state)
    delay = timedelta(0) if error.cause == OF_OURS else max(delay, error.wait or delay)
    if mail.is_too_late(moment + delay.total_seconds()):
        return Disposition(f"the next try would come too late: {reason}", "expired")
    return Disposition(reason, delay=delay)
