"""All pages about accounts, and what is answered where a link or a way to sign up does not work."""

from http import HTTPStatus

from flask import Flask, render_template
from flask.typing import ResponseReturnValue

from web.accounts import (
    browsers,
    email_change,
    letters,
    operator_link,
    overview,
    password_change,
    registration,
    reset,
    sign_in,
    sign_up,
)
from web.accounts.registration import NotOpenError
from web.accounts.tokens import LIFETIMES, Fault, LinkError

PAGES = (
    sign_up,
    sign_in,
    reset,
    overview,
    password_change,
    email_change,
    browsers,
    operator_link,
)
STATUS_OF_FAULT = {
    Fault.USED: HTTPStatus.GONE,
    Fault.EXPIRED: HTTPStatus.GONE,
    Fault.UNKNOWN: HTTPStatus.NOT_FOUND,
}


def init_app(app: Flask) -> None:
    """Register the pages."""
    for module in PAGES:
        app.register_blueprint(module.bp)
    app.register_error_handler(LinkError, explain_link)
    app.register_error_handler(NotOpenError, explain_registration)


def explain_link(error: LinkError) -> ResponseReturnValue:
    """Say why a link does not work, and what to do next."""
    page = render_template(
        "accounts/link.html",
        purpose=error.purpose.value,
        fault=error.fault.value,
        lifetime=letters.in_words(LIFETIMES[error.purpose]),
    )
    return page, STATUS_OF_FAULT[error.fault]


def explain_registration(_error: NotOpenError) -> ResponseReturnValue:
    """Say who may sign up."""
    page = render_template("accounts/not_open.html", mode=registration.mode())
    return page, HTTPStatus.FORBIDDEN
