"""The kinds of mail that the application sends, and how each is treated. A team adds its own here."""

from dataclasses import dataclass
from datetime import timedelta

from common.outbox import BULK, NORMAL, RESEND, URGENT

LINK_LIFETIME = timedelta(hours=48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind; its texts are the templates mail/<name>.txt and .html.

    It is not sent once `lifetime` is over. `when_unsure` (RESEND or HOLD) is for a mail of which
    nobody knows whether it arrived: a second one of these does no harm, or it does. `bulk` mail
    goes to many who can unsubscribe from it; all other goes to one, who waits for it.
    """

    name: str
    priority: int = NORMAL
    lifetime: timedelta | None = None
    when_unsure: str = RESEND
    bulk: bool = False


# Someone sits before the mailbox; after that time the link in it is worth nothing.
CONFIRM = Kind(name="confirm", priority=URGENT, lifetime=LINK_LIFETIME)

# News of what broke; on the next day the status page tells it better.
NOTICE = Kind(name="notice", priority=BULK, lifetime=timedelta(days=1), bulk=True)

KINDS = {kind.name: kind for kind in (CONFIRM, NOTICE)}
