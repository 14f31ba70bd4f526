"""Logging in at the relay: one mechanism, once."""

import smtplib
from base64 import b64encode

from mailer.smtp.credentials import Credentials, Token
from mailer.smtp.errors import Stage
from mailer.smtp.replies import Reply, read_reply

GO_ON = 334


def log_in(host: smtplib.SMTP, credentials: Credentials | Token) -> Reply:
    """Return the reply to the login; raises SMTPNotSupportedError where no known way is offered.

    smtplib's own would try every mechanism, and each counts as one more failed login.
    """
    way = mechanism(host, credentials)
    if isinstance(credentials, Token):
        return log_in_with_token(host, credentials)
    user = credentials.username.encode()
    password = credentials.password.get_secret_value().encode()
    plain = b64encode(b"\0".join([b"", user, password])).decode()
    secret = b64encode(password).decode()
    if way == "PLAIN":
        answer = host.docmd("AUTH", f"PLAIN {plain}")
    else:
        answer = answer_questions(host, b64encode(user).decode(), secret)
    return read_reply(Stage.LOGIN, *answer, hidden=(plain, secret, password.decode()))


def mechanism(host: smtplib.SMTP, credentials: Credentials | Token) -> str:
    """Return how we log in there; raises SMTPNotSupportedError."""
    known = ("XOAUTH2",) if isinstance(credentials, Token) else ("PLAIN", "LOGIN")
    offered = host.esmtp_features.get("auth", "").upper().split()
    for name in known:
        if name in offered:
            return name
    message = f"it does not offer AUTH {' or '.join(known)}"
    raise smtplib.SMTPNotSupportedError(message)


def answer_questions(host: smtplib.SMTP, *answers: str) -> tuple[int, bytes]:
    """Give one answer after the other for as long as the relay asks; return its last reply."""
    code, text = host.docmd("AUTH", "LOGIN")
    for answer in answers:
        if code != GO_ON:
            break
        code, text = host.docmd(answer)
    return code, text


def log_in_with_token(host: smtplib.SMTP, token: Token) -> Reply:
    """Log in with XOAUTH2, Google's: a refusal comes as a question, and as a reply to an empty line."""
    value = token.value.get_secret_value()
    secret = b64encode(f"user={token.username}\1auth=Bearer {value}\1\1".encode()).decode()
    answer = host.docmd("AUTH", f"XOAUTH2 {secret}")
    if answer[0] == GO_ON:
        answer = host.docmd("")
    return read_reply(Stage.LOGIN, *answer, hidden=(secret, value))
