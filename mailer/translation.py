"""The border to smtplib: what it raises and what the relay answers, as our own errors."""

import contextlib
import smtplib
import ssl
from collections.abc import Container, Iterator

from mailer.errors import DeliveryError, MailDeferredError, MailRefusedError, RelayError, Stage
from mailer.replies import BEFORE_ANY_MAIL, Reply, meaning_of, read_reply

SUCCESS = range(200, 300)


def expect(reply: Reply, relay: str, wanted: Container[int] = SUCCESS) -> Reply:
    """Return the reply if it is one of those hoped for; else raise what it means."""
    if reply.code in wanted:
        return reply
    error_type = meaning_of(reply)
    message = f"{relay} refused the {reply.stage}: {reply}"
    raise error_type(message, reply.stage, reply.code)


@contextlib.contextmanager
def translated(stage: Stage, relay: str) -> Iterator[None]:
    """Raise a DeliveryError for what smtplib and the network raise; nearly all is the relay's."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        message = (
            f"{relay}: its certificate is not trusted, so nothing was sent: "
            f"{error.verify_message} (a private relay's authority goes into MAIL_CA_FILE)"
        )
        raise RelayError(message, stage) from error
    except smtplib.SMTPResponseException as error:
        words = error.smtp_error if isinstance(error.smtp_error, bytes) else b""
        reply = read_reply(stage, error.smtp_code, words)
        message = f"{relay} refused the {stage}: {reply}"
        raise RelayError(message, stage, reply.code) from error
    except OSError as error:  # smtplib's own errors are OSErrors too
        message = f"{relay}: failed at the {stage}: {error}"
        raise RelayError(message, stage) from error
    except ValueError as error:  # what no command can hold, such as a line break
        error_type: type[DeliveryError] = MailRefusedError
        if stage in BEFORE_ANY_MAIL:
            error_type = RelayError
        message = f"{relay}: failed at the {stage}: {error}"
        raise error_type(message, stage) from error


@contextlib.contextmanager
def unsure(relay: str) -> Iterator[None]:
    """Treat silence after the content as the mail's own affair: it may well have arrived.

    Were it the relay's, a relay that takes a mail but answers late would get it every minute.
    """
    try:
        yield
    except OSError as error:
        message = f"{relay}: no reply to the whole mail, which may have arrived: {error}"
        raise MailDeferredError(message, Stage.CONTENT) from error
