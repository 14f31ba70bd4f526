"""The mail of a trial: short, and plain about what it is."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

TEXT = """\
This mail was sent to see whether mail from here arrives. It did.

Where it was marked as spam, look at its Authentication-Results header for SPF, DKIM and DMARC.
"""


@dataclass(frozen=True, slots=True)
class TrialMail:
    """One mail to one recipient, finished."""

    sender: str
    recipient: str
    raw: bytes


def compose(sender: str, recipient: str, now: datetime) -> TrialMail:
    """Return such a mail; both are bare addresses."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = f"Test mail of {now:%Y-%m-%d %H:%M:%S} UTC"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid("trial", sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence is to answer it
    message.set_content(TEXT)
    return TrialMail(sender, recipient, message.as_bytes())
