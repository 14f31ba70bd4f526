"""Logging in at the relay: one mechanism, once."""

import smtplib
from base64 import b64encode

from mailer.credentials import Credentials
from mailer.errors import Stage
from mailer.replies import Reply, read_reply

GO_ON = 334


def log_in(host: smtplib.SMTP, credentials: Credentials) -> Reply:
    """Return the reply to the login; raises SMTPNotSupportedError where no known way is offered.

    smtplib's own would try every mechanism, and each counts as one more failed login.
    """
    user = credentials.username.encode()
    password = credentials.password.get_secret_value().encode()
    plain = b64encode(b"\0".join([b"", user, password])).decode()
    secret = b64encode(password).decode()
    offered = host.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        answer = host.docmd("AUTH", f"PLAIN {plain}")
    elif "LOGIN" in offered:
        answer = answer_questions(host, b64encode(user).decode(), secret)
    else:
        raise smtplib.SMTPNotSupportedError("it offers neither AUTH PLAIN nor AUTH LOGIN")
    return read_reply(Stage.LOGIN, *answer, hidden=(plain, secret, password.decode()))


def answer_questions(host: smtplib.SMTP, *answers: str) -> tuple[int, bytes]:
    """Give one answer after the other for as long as the relay asks; return its last reply."""
    code, text = host.docmd("AUTH", "LOGIN")
    for answer in answers:
        if code != GO_ON:
            break
        code, text = host.docmd(answer)
    return code, text
