"""The session is written before anything else is done to the answer."""

from flask import Flask, Response, current_app
from flask.globals import request_ctx

from web.exchange.errors import session_store_away
from web.sessions.store import SessionStoreError


def init_app(app: Flask) -> None:
    """Write sessions while there is still another answer to give.

    Registered last, so that it comes first: Flask itself writes them when the answer is finished,
    and a store that fails then is a status 500.
    """
    app.after_request(keep)


def keep(response: Response) -> Response:
    """Write the session, or answer that it can't be."""
    app = current_app
    opened = request_ctx._session  # noqa: SLF001 asking Flask for it would touch it
    if opened is None:
        return response
    try:
        app.session_interface.save_session(app, opened, response)
    except SessionStoreError as error:
        return session_store_away(error)
    return response
