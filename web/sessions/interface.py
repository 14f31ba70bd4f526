"""What the site does with sessions; a visitor who only reads pages and forms makes none."""

from typing import Any, cast

from flask import Flask, current_app, g, session
from flask.globals import request_ctx

from web.sessions import cookies
from web.sessions.cookies import FORM_TOKEN
from web.sessions.files import SessionFiles
from web.sessions.session import Session
from web.sessions.sessions import Sessions
from web.sessions.store import Store
from web.sessions.valkey import SessionsInValkey
from web.settings import Settings


def rotate() -> None:
    """Give this request's session a new id, and keep what it holds; the old id is dead for ever.

    After `session.clear()` its time starts anew: so do sign-ins.
    """
    g.pop(FORM_TOKEN, None)
    interface().regenerate(asked_session())


def end() -> None:
    """Empty this request's session and remove it; its id is dead for ever."""
    g.pop(FORM_TOKEN, None)
    interface().end(asked_session())


def touched() -> bool:
    """Return whether this request has read or changed its session, so that the answer is personal."""
    opened = request_ctx._session  # noqa: SLF001 asking Flask for it would touch it
    return opened is not None and opened.accessed


def asked_session() -> Session:
    """Return this request's session itself, instead of Flask's stand-in for it."""
    return cast("Session", session._get_current_object())  # type: ignore[attr-defined] # noqa: SLF001 werkzeug's documented way


def interface() -> Sessions:
    """Return what keeps the sessions of this application."""
    return cast("Sessions", current_app.session_interface)


def config(settings: Settings) -> dict[str, Any]:
    """Return the configuration of sessions and their cookies."""
    return {
        **cookies.config(settings),
        "PERMANENT_SESSION_LIFETIME": settings.permanent_session_lifetime,
        "SESSION_ABSOLUTE_LIFETIME": settings.session_absolute_lifetime,
        "SESSION_REFRESH_EACH_REQUEST": False,  # else each request would write the session
    }


def init_app(app: Flask, settings: Settings) -> None:
    """Keep the sessions of this application."""
    app.session_interface = Sessions(
        store_of(settings),
        settings.permanent_session_lifetime,
        settings.session_absolute_lifetime,
    )


def store_of(settings: Settings) -> Store:
    """Return where the settings want sessions to be kept."""
    if settings.session_type == "valkey" and settings.valkey_url:
        return SessionsInValkey(settings.valkey_url.get_secret_value())
    return SessionFiles(settings.session_file_dir)
