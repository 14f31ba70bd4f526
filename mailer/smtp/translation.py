"""The border to smtplib: what it raises and what the relay answers, as our own error."""

import contextlib
import smtplib
import ssl
from collections.abc import Container, Iterator

from mailer.smtp.errors import DeliveryError, Stage
from mailer.smtp.replies import Reply, read_reply
from mailer.smtp.verdict import Failed, Failure, judge

SUCCESS = range(200, 300)


def expect(reply: Reply, relay: str, wanted: Container[int] = SUCCESS) -> Reply:
    """Return the reply if it is one of those hoped for; else raise what it means."""
    if reply.code in wanted:
        return reply
    raise refusal(reply, relay)


def refusal(reply: Reply, relay: str) -> DeliveryError:
    """Return what a reply means that is not the one hoped for."""
    if reply.is_no:
        message = f"{relay} refused the {reply.stage}: {reply}"
    else:
        message = f"{relay}: no answer to the {reply.stage} that SMTP knows: {reply}"
    return error_of(reply, message)


def error_of(what: Reply | Failure, message: str) -> DeliveryError:
    """Return the error that the verdict on a refusal or failure makes."""
    verdict = judge(what)
    return DeliveryError(
        message,
        what.stage,
        verdict.scope,
        permanent=verdict.permanent,
        code=what.code if isinstance(what, Reply) and what.code > 0 else None,
        cause=verdict.cause,
        wait=verdict.wait,
        slow_down=verdict.slow_down,
        no_such_address=verdict.no_such_address,
    )


@contextlib.contextmanager
def translated(stage: Stage, relay: str) -> Iterator[None]:
    """Raise a DeliveryError for what smtplib and the network raise."""
    try:
        yield
    except (OSError, ValueError) as error:  # smtplib's own errors are OSErrors too
        raise failure(error, stage, relay) from error


def failure(error: OSError | ValueError, stage: Stage, relay: str) -> DeliveryError:
    """Return what an error of smtplib or the network means at that stage."""
    match error:
        case smtplib.SMTPResponseException():
            words = error.smtp_error if isinstance(error.smtp_error, bytes) else b""
            return refusal(read_reply(stage, error.smtp_code, words), relay)
        case ssl.SSLCertVerificationError():
            how, text = (
                Failed.SILENCE,
                (
                    "its certificate is not trusted, so nothing was sent: "
                    f"{error.verify_message} (a private relay's authority: "
                    "`make secret NAME=mail_ca FILE=ca.pem`, and MAIL_CA_FILE in .env)"
                ),
            )
            return error_of(Failure(stage, how), f"{relay}: {text}")
        case smtplib.SMTPNotSupportedError():
            how = Failed.NOT_OFFERED
        case OSError():
            how = Failed.SILENCE
        case _:  # a ValueError: what no command can hold, such as a line break
            how = Failed.NOT_SAYABLE
    if stage is Stage.END:
        message = f"{relay}: no reply to the whole mail, which may have arrived: {error}"
    else:
        message = f"{relay}: failed at the {stage}: {error}"
    return error_of(Failure(stage, how), message)
