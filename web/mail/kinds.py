"""The kinds of mail that the application sends, and how each is treated. A team adds its own here."""

from dataclasses import dataclass
from datetime import timedelta

from common.outbox import BULK, NORMAL, RESEND, URGENT
from web.accounts.tokens import LIFETIMES, Purpose

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

# Links of accounts, and what is said in their place where there is no link to give.
SIGN_UP = Kind(name="sign_up", priority=URGENT, lifetime=LIFETIMES[Purpose.SIGN_UP])
HAS_ACCOUNT = Kind(name="has_account", priority=URGENT, lifetime=LIFETIMES[Purpose.SIGN_UP])
INVITATION = Kind(name="invitation", priority=URGENT, lifetime=LIFETIMES[Purpose.INVITE])
RESET = Kind(name="reset", priority=URGENT, lifetime=LIFETIMES[Purpose.RESET])
NO_ACCOUNT = Kind(name="no_account", priority=URGENT, lifetime=LIFETIMES[Purpose.RESET])
EMAIL_OLD = Kind(name="email_old", priority=URGENT, lifetime=LIFETIMES[Purpose.EMAIL_OLD])
EMAIL_NEW = Kind(name="email_new", priority=URGENT, lifetime=LIFETIMES[Purpose.EMAIL_NEW])
EMAIL_TAKEN = Kind(name="email_taken", priority=URGENT, lifetime=LIFETIMES[Purpose.EMAIL_NEW])

# What happened to an account: its owner should hear of it, however late.
PASSWORD_CHANGED = Kind(name="password_changed")
EMAIL_CHANGED = Kind(name="email_changed")
ACCOUNT_DELETED = Kind(name="account_deleted")

OF_ACCOUNTS = (
    SIGN_UP,
    HAS_ACCOUNT,
    INVITATION,
    RESET,
    NO_ACCOUNT,
    EMAIL_OLD,
    EMAIL_NEW,
    EMAIL_TAKEN,
    PASSWORD_CHANGED,
    EMAIL_CHANGED,
    ACCOUNT_DELETED,
)

KINDS = {kind.name: kind for kind in (CONFIRM, NOTICE, *OF_ACCOUNTS)}
