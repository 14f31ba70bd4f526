"""What becomes of a mail after a try that failed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.outbox import HOLD
from mailer.delivery.outbox import Mail
from mailer.delivery.retry import next_delay
from mailer.smtp.errors import DeliveryError, Scope

OF_OURS = "crash"  # the cause of a failure that says nothing about the relay
# Mailers that may die with one mail in hand, before it is thought to be the reason.
LONGEST_CRASHES = 3


@dataclass(frozen=True, slots=True)
class Disposition:
    """A state that it keeps, or the time after which it is tried again."""

    reason: str
    state: str | None = None
    delay: timedelta | None = None


def disposition(mail: Mail, error: DeliveryError, spread: float, now: datetime) -> Disposition:
    """Return what becomes of a mail that was tried and whose own affair the failure is.

    `spread` is a random number from -1 to 1.
    """
    reason = str(error)
    if error.scope is Scope.UNSURE and mail.when_unsure == HOLD:
        return Disposition(reason, "unsure")
    if error.permanent:
        return Disposition(reason, "dead")
    delay = next_delay(mail.attempts + 1, spread)
    if delay is None:
        return Disposition(f"given up after {mail.attempts + 1} tries: {reason}", "dead")
    delay = timedelta(0) if error.cause == OF_OURS else max(delay, error.wait or delay)
    if mail.expires_at is not None and now + delay >= mail.expires_at:
        return Disposition(f"the next try would come too late: {reason}", "expired")
    return Disposition(reason, delay=delay)
