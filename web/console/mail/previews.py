"""What a mail says: the answer of the mailer, shown where nothing in it can do anything."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, make_response, render_template

from web.api.blueprint import ID
from web.console import jobs
from web.exchange.headers import POLICY

# A mail brings its looks along, and its frame has the page's policy beside its own.
WITH_LOOKS = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")

bp = Blueprint("mail_previews", __name__, url_prefix="/mail/previews")


@bp.get(f"/<{ID}:number>")
def show(number: int) -> Response:
    """Show it, or how far it has come."""
    job = jobs.find(number)
    if job is None or (job.part, job.verb) != ("mailer", "preview"):
        abort(HTTPStatus.NOT_FOUND)
    response = make_response(render_template("console/mail/preview.html", job=job, said=job.answer))
    response.headers["Content-Security-Policy"] = WITH_LOOKS
    return response
