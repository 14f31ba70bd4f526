"""Asking another part to do something: written down, queued with that, and looked at on a page of its own."""

from hashlib import sha256
from http import HTTPStatus
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from common import jobs
from common.jobs import Asked
from web.console import audit
from web.console.printable import printable
from web.extensions import db
from web.sessions.cookies import FORM_TOKEN

UNDER_WAY = "This was asked already, and here is how far it has come."
SENT_BEFORE = (
    "This form was sent before, and here is what came of it. To ask again, load its page anew."
)


def ask(part: str, verb: str, subject: str, **arguments: Any) -> Response:
    """Ask `mailer` or `backup` to do it, commit, and show how far it has come."""
    asked = queue(part, verb, subject, **arguments)
    if not asked.is_new:
        flash(SENT_BEFORE if asked.by_this_form else UNDER_WAY)
    return redirect(url_for("console.jobs.show", number=asked.id), HTTPStatus.SEE_OTHER)


def queue(part: str, verb: str, subject: str, **arguments: Any) -> Asked:
    """Ask it, write that down, and commit. An argument that is None is none.

    What waits or runs already is not asked a second time; and nor is what this very form has asked, when its
    button was pressed twice: then nothing is written down, either.
    """
    session = db.session()
    given = {name: printable(value) for name, value in arguments.items() if value is not None}
    asked = jobs.ask_once(session.connection(), part, verb, given, this_form())
    if not asked.by_this_form:
        audit.record(session, f"{part}.{verb}", subject, job=asked.id, **given)
    session.commit()
    return asked


def this_form() -> str | None:
    """Return what names the form that was sent; None for a program, which has none.

    Each page has a token of its own in all of its forms, so that the same token is the same page. It
    is kept as a hash, as it is good for an hour.
    """
    token = request.form.get(FORM_TOKEN)
    return sha256(token.encode()).hexdigest()[:32] if token else None
