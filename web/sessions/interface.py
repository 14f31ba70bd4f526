"""Sessions in files, with Flask-Session; a visitor who only reads pages and forms makes none."""

import os
from typing import IO, Any

from cachelib import FileSystemCache
from cachelib.serializers import JSONSerializer
from flask import Flask, Request, Response, request
from flask_session.base import ServerSideSession
from flask_session.cachelib import CacheLibSessionInterface
from itsdangerous import BadSignature, URLSafeSerializer

from web.settings import Settings

FORM_TOKEN = "csrf_token"  # noqa: S105 the key under which Flask-WTF keeps its token
VISITOR_COOKIE = "visitor"
FILE_MODE = 0o660  # the mailer, in our group, reads when one expires, and moves it
NOT_WORTH_A_FILE = {FORM_TOKEN, "_permanent"}


class OpenToOurGroup(JSONSerializer):
    """JSON, in a file that our group may use before it is in place; cachelib does so only after."""

    def dump(self, value: Any, f: IO[bytes], *args: Any, **kwargs: Any) -> None:
        """Write the session to the file, which nobody else knows yet."""
        os.fchmod(f.fileno(), FILE_MODE)
        super().dump(value, f, *args, **kwargs)


class SessionFiles(FileSystemCache):
    """Session files as JSON: unpickling would run what anyone wrote to the shared volume."""

    serializer = OpenToOurGroup()  # type: ignore[assignment] # the library types the default too narrowly


class Sessions(CacheLibSessionInterface):  # type: ignore[misc] # the library ships no types
    """Flask-Session, except that a form's token stays in a signed cookie until a session starts.

    Otherwise every visitor who opens a form, and every robot, would leave a file behind.
    """

    def open_session(self, app: Flask, request: Request) -> ServerSideSession:
        """Return the session of the cookie, or a new one; either has the visitor's form token."""
        session = super().open_session(app, request)
        token = read_token(app, request)
        if token and not session:
            session[FORM_TOKEN] = token
            session.modified = session.accessed = False
        return session

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        """Return what the file holds, or None where it is not there or is not a session."""
        found = super()._retrieve_session_data(store_id)
        return found if isinstance(found, dict) else None

    def save_session(self, app: Flask, session: ServerSideSession, response: Response) -> None:
        """Write the session's file if it changed, or only the visitor's cookie."""
        if not session or session.keys() - NOT_WORTH_A_FILE:
            super().save_session(app, session, response)
            return
        if session.accessed:
            response.vary.add("Cookie")
        if session.modified:
            self._delete_session(self._get_store_id(session.sid))  # it may have held more before
            self._set_visitor_cookie(app, session[FORM_TOKEN], response)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie is for https only: in production always, else on https."""
        return bool(app.config["SESSION_COOKIE_SECURE"]) or request.is_secure

    def _set_visitor_cookie(self, app: Flask, token: str, response: Response) -> None:
        response.set_cookie(
            VISITOR_COOKIE,
            signer(app).dumps(token),
            httponly=True,
            secure=self.get_cookie_secure(app),
            samesite=self.get_cookie_samesite(app),
        )


def signer(app: Flask) -> URLSafeSerializer:
    """Return what signs the visitor's cookie."""
    return URLSafeSerializer(app.secret_key or "", salt="visitor")


def read_token(app: Flask, request: Request) -> str | None:
    """Return the form token of the visitor's cookie, or None where there is no genuine one."""
    try:
        token: str = signer(app).loads(request.cookies.get(VISITOR_COOKIE, ""))
    except BadSignature:
        return None
    return token


def config(settings: Settings) -> dict[str, Any]:
    """Return the configuration of sessions and their cookie."""
    return {
        "SESSION_COOKIE_NAME": settings.session_cookie_name,
        "SESSION_COOKIE_SAMESITE": settings.session_cookie_samesite,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": settings.app_env == "production",
        "PERMANENT_SESSION_LIFETIME": settings.permanent_session_lifetime,
        "SESSION_REFRESH_EACH_REQUEST": False,  # else each request would rewrite the file
    }


def init_app(app: Flask, settings: Settings) -> None:
    """Keep the sessions of this application in files; none is evicted to make room for another."""
    files = SessionFiles(str(settings.session_file_dir), threshold=0, mode=FILE_MODE)
    app.session_interface = Sessions(client=files)
