"""What came of a job: the senders say it, the clerk writes it down."""

from dataclasses import dataclass, field

from mailer.delivery.desk import Claim
from mailer.smtp.errors import DeliveryError


@dataclass(frozen=True, slots=True)
class Sent:
    """The relay took the mail; `reply` is its consent, in which it often names the mail."""

    claim: Claim
    code: int
    reply: str
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The try failed."""

    claim: Claim
    error: DeliveryError
    milliseconds: int = 0
    token: object = field(default_factory=object)  # this try, and no other


@dataclass(frozen=True, slots=True)
class Broken:
    """The try failed for a reason that nobody foresaw: it may be a bug of ours that this mail meets."""

    claim: Claim
    error: Exception


@dataclass(frozen=True, slots=True)
class Untried:
    """The mail goes back as it was."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Closed:
    """The mail is not to be tried at all: it is too late, or the recipient wants none."""

    claim: Claim
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Probed:
    """A login without mail; None is that it worked."""

    error: DeliveryError | None


Outcome = Sent | Failed | Broken | Untried | Closed | Probed
