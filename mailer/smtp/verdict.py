"""What a refusal means, or a failure without one: whose fault it is, and whether a retry helps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from mailer.smtp.errors import BEFORE_ANY_MAIL, Scope, Stage
from mailer.smtp.replies import Reply


class Failed(StrEnum):
    """How a step failed without a refusal."""

    SILENCE = "no reply"  # hung up, out of time, not SMTP, TLS not verified
    NOT_OFFERED = "not offered"
    NOT_SAYABLE = "not sayable"  # what no command can hold, such as a line break
    MISSING = "missing"  # we have nothing to log in with


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed without a refusal."""

    stage: Stage
    how: Failed


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about it; the fields are those of a DeliveryError."""

    scope: Scope
    permanent: bool = False
    cause: str = ""
    wait: timedelta | None = None
    slow_down: bool = False
    no_such_address: bool = False


GREYLIST_WAIT, LOGIN_WAIT = timedelta(minutes=5), timedelta(minutes=15)
QUOTA_WAIT = MAILBOX_WAIT = timedelta(hours=1)

SERVER = Verdict(Scope.SERVER, cause="server")
CROWDED = Verdict(Scope.SERVER, cause="server", slow_down=True)
ACCOUNT = Verdict(Scope.ACCOUNT, cause="login")
LOGIN_LATER = Verdict(Scope.ACCOUNT, cause="login", wait=LOGIN_WAIT)
NO_CREDENTIALS = Verdict(Scope.ACCOUNT, cause="credentials")
QUOTA = Verdict(Scope.QUOTA, cause="quota", wait=QUOTA_WAIT)
SENDER_REFUSED = Verdict(Scope.SENDER, permanent=True)
MESSAGE_REFUSED = Verdict(Scope.MESSAGE, permanent=True)
MESSAGE_LATER = Verdict(Scope.MESSAGE)
RECIPIENT_REFUSED = Verdict(Scope.RECIPIENT, permanent=True)
NO_SUCH_ADDRESS = Verdict(Scope.RECIPIENT, permanent=True, no_such_address=True)
RECIPIENT_LATER = Verdict(Scope.RECIPIENT)
GREYLISTED = Verdict(Scope.RECIPIENT, wait=GREYLIST_WAIT)
MAILBOX_FULL = Verdict(Scope.RECIPIENT, wait=MAILBOX_WAIT)
UNSURE = Verdict(Scope.UNSURE)

# Without the codes, a refused mail about somebody's daily limit would hold all mail back.
QUOTA_CODES = r"^[45]\d\d ((4\.2\.1|4\.5\.3|5\.4\.5|5\.7\.1) |(?!\d\.\d+\.\d))"
QUOTA_WORDS = (
    r"(?=.*\b(exceeded|reached)\b)"
    r".*\b(daily|peak) (\w+ ){0,2}?(sending|relay|message|mail) (rate )?(limit|quota)\b"
)

# What providers say under codes that mean something else: matched with code and text, first wins.
# Postfix asks about client and sender only at RCPT, where its 5xx would look like the recipient's.
Provider = tuple[re.Pattern[str], Verdict]
PROVIDERS: tuple[Provider, ...] = tuple(
    (re.compile(words, re.IGNORECASE), verdict)
    for words, verdict in (
        (
            r"^550 connection frequency limited",
            Verdict(Scope.MESSAGE, wait=LOGIN_WAIT, slow_down=True),
        ),
        (QUOTA_CODES + QUOTA_WORDS, QUOTA),
        (r"^454 throttling failure", CROWDED),
        (r"\btoo many (concurrent |simultaneous )?(connections|sessions)\b", CROWDED),
        (r"^[45]\d\d .*\brelay(ing)? (access )?(denied|not permitted|not allowed)\b", ACCOUNT),
        (r"^5\d\d .*\bunable to relay\b", ACCOUNT),
        (r"^[45]\d\d .*\bclient host\b.*\b(rejected|blocked)\b", SERVER),
        (r"^5\d\d .*\bsender address rejected\b", SENDER_REFUSED),
        (r"^4\d\d .*\bsender address rejected\b", MESSAGE_LATER),
    )
)

GOING_DOWN, MISTAKEN = 421, {500, 502, 503, 504}
LOGIN_WANTED, LOGIN_NOT_NOW = {530, 534, 535, 538}, {432, 454}
OUR_DAY_IS_FULL = "5.4.5"  # Gmail's, of the account; the mail is as good as any
BAD_ADDRESS, FULL = {501, 550, 551, 553}, {452, 552}
GREYLIST = re.compile(r"gr[ae]y-?list", re.IGNORECASE)
RECIPIENT_REJECTED = re.compile(r"\brecipient address rejected\b", re.IGNORECASE)

# For good, and of the address alone. Others say it in words, under codes that say too little.
NOBODY_THERE, DISABLED = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"}, "5.2.1"
NOBODY_PERHAPS, OPEN = {550, 551, 553}, {"", "5.0.0", "5.1.0"}
NOBODY_IN_WORDS = re.compile(
    r"\b(no such|unknown|invalid|non-?existent) (local |virtual )?(user|mailbox|recipient|address)\b"
    r"|\b(user|mailbox|recipient|account)\b.{0,60}?\b(unknown|not found|(does not|doesn't) exist)\b"
    r"|(?<!ip )\baddress (is )?(unknown|not found)\b|\bno mailbox (here )?by that name\b",
    re.IGNORECASE,
)
# Such words may be about us, or about how much we send.
ANOTHER_REASON = re.compile(
    r"\b(polic(y|ies)|block|blacklist|reputation|spam|sender|domain|host\b|ip\b|dns\b|too many|rate\b)",
    re.IGNORECASE,
)


def judge(what: Reply | Failure, providers: Sequence[Provider] = PROVIDERS) -> Verdict:
    """Return what a refusal, or a failure without one, means at its stage."""
    if isinstance(what, Failure):
        return judge_failure(what)
    if not what.is_no:  # an answer to something else, or not SMTP at all
        return judge_failure(Failure(what.stage, Failed.SILENCE))
    said = (verdict for words, verdict in providers if words.search(str(what)))
    if what.stage in BEFORE_ANY_MAIL:
        return judge_before_mail(what, next(said, None))
    return (
        next(said, None)
        or judge_session(what)
        or judge_sender(what)
        or judge_recipient(what)
        or (MESSAGE_REFUSED if is_permanent(what) else MESSAGE_LATER)
    )


def judge_failure(failure: Failure) -> Verdict:
    """Judge what failed without a refusal: until the final dot, the mail did not go."""
    match failure:
        case Failure(how=Failed.MISSING):
            return NO_CREDENTIALS
        case Failure(Stage.LOGIN, Failed.NOT_OFFERED):
            return ACCOUNT
        case Failure(Stage.SENDER, Failed.NOT_SAYABLE):
            return SENDER_REFUSED
        case Failure(Stage.RECIPIENT, Failed.NOT_SAYABLE):
            return RECIPIENT_REFUSED
        case Failure(Stage.END):
            return UNSURE
        case _:
            return SERVER


def judge_before_mail(reply: Reply, said: Verdict | None) -> Verdict:
    """Judge what concerns the relay, or our login there: there is no mail yet to blame."""
    if said and said.scope is Scope.SERVER:
        return said
    if reply.code == GOING_DOWN:
        return going_down(reply)
    if reply.stage is not Stage.LOGIN:
        return SERVER
    if said is QUOTA or reply.enhanced == OUR_DAY_IS_FULL:
        return QUOTA
    if reply.code in LOGIN_NOT_NOW:
        return LOGIN_LATER
    return ACCOUNT if is_permanent(reply) else SERVER


def judge_session(reply: Reply) -> Verdict | None:
    """Judge what concerns the relay or our account there, and so every mail."""
    if reply.code == GOING_DOWN:
        return going_down(reply)
    if reply.code in LOGIN_WANTED:
        return ACCOUNT
    if reply.code in LOGIN_NOT_NOW and reply.enhanced in {"", "4.7.0"}:
        return LOGIN_LATER
    if reply.enhanced == OUR_DAY_IS_FULL:
        return QUOTA
    if reply.code in MISTAKEN and reply.stage is not Stage.END and not rejects_recipient(reply):
        return SERVER  # we and the relay disagree on where we are
    return None


def going_down(reply: Reply) -> Verdict:
    """Judge a relay that ends the conversation, perhaps since there are too many of us (4.7.x)."""
    return CROWDED if reply.enhanced.startswith("4.7.") else SERVER


def judge_sender(reply: Reply) -> Verdict | None:
    """Judge what concerns our own address, and so every mail from it."""
    if reply.enhanced in {"5.1.7", "5.1.8"}:
        return SENDER_REFUSED
    if reply.stage is not Stage.SENDER:
        return None
    if reply.enhanced in {"4.5.3", "4.2.1"}:  # we send too much
        return QUOTA
    return SENDER_REFUSED if is_permanent(reply) and not is_about_size(reply) else None


def judge_recipient(reply: Reply) -> Verdict | None:
    """Judge what concerns the recipient alone. A refusal for policy's sake is the mail's fault."""
    detail = reply.enhanced[1:]
    at_rcpt = reply.stage is Stage.RECIPIENT
    if detail == ".2.2" or (at_rcpt and reply.code in FULL and not detail):
        return MAILBOX_FULL  # also as a 5xx: a full mailbox does not stay so (RFC 3463, 3.3)
    if is_permanent(reply) or rejects_recipient(reply):
        if is_no_such_address(reply):
            return NO_SUCH_ADDRESS
        return RECIPIENT_REFUSED if is_about_recipient(reply) else None
    if (at_rcpt and reply.code in {450, 451}) or GREYLIST.search(reply.text):
        return GREYLISTED
    return RECIPIENT_LATER if at_rcpt and is_of_class(reply, "4") else None


def is_no_such_address(reply: Reply) -> bool:
    """Say whether a refusal means for certain that no mail will ever reach the address."""
    if reply.enhanced in NOBODY_THERE:
        return True
    if ANOTHER_REASON.search(reply.text):
        return False
    if reply.enhanced == DISABLED:
        return True
    is_open = reply.code in NOBODY_PERHAPS and reply.enhanced in OPEN
    at_rcpt = reply.stage is Stage.RECIPIENT
    return at_rcpt and is_open and bool(NOBODY_IN_WORDS.search(reply.text))


def is_about_recipient(reply: Reply) -> bool:
    """Say whether a refusal for good concerns the recipient, and not the mail."""
    if reply.enhanced == DISABLED:
        return True
    if reply.stage is not Stage.RECIPIENT:
        return False
    is_open = reply.enhanced in OPEN and reply.code in BAD_ADDRESS
    return is_open or reply.enhanced.startswith("5.1.") or rejects_recipient(reply)


def rejects_recipient(reply: Reply) -> bool:
    """Say whether it is Postfix's way to refuse a recipient, under whichever code, 504 too."""
    in_so_many_words = reply.enhanced == "5.5.2" or RECIPIENT_REJECTED.search(reply.text)
    return reply.stage is Stage.RECIPIENT and is_of_class(reply, "5") and bool(in_so_many_words)


def is_permanent(reply: Reply) -> bool:
    """Say whether the relay would answer the same tomorrow; the enhanced code wins.

    Routing (5.4.x) and a host that is not taking mail (5.3.2) change, whatever the class says.
    """
    if reply.enhanced == "5.3.2" or reply.enhanced.startswith("5.4."):
        return False
    return is_of_class(reply, "5")


def is_of_class(reply: Reply, digit: str) -> bool:
    """Say whether it is of the class 4 or 5; the enhanced code wins over the basic one."""
    return (reply.enhanced or str(reply.code)).startswith(digit)


def is_about_size(reply: Reply) -> bool:
    """Say whether this mail is larger than the relay takes (RFC 1870), which MAIL already tells."""
    return reply.code == 552 or reply.enhanced in {"5.3.4", "5.2.3"}  # noqa: PLR2004
