"""The two cookies: one names the session, one holds the form token of who has none."""

from typing import Any

from flask import Flask, Request
from itsdangerous import BadSignature, URLSafeSerializer

from web.settings import Settings

FORM_TOKEN = "csrf_token"  # noqa: S105 the key under which Flask-WTF keeps its token
OF_THIS_HOST = "__Host-"  # no other site of our domain can set such a cookie


def config(settings: Settings) -> dict[str, Any]:
    """Return the names of the cookies, and how they are sent."""
    production = settings.app_env == "production"
    prefix = OF_THIS_HOST if production else ""
    return {
        "SESSION_COOKIE_NAME": prefix + settings.session_cookie_name,
        "VISITOR_COOKIE_NAME": f"{prefix}visitor",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_SAMESITE": settings.session_cookie_samesite,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": production,
    }


def signer(app: Flask) -> URLSafeSerializer:
    """Return what signs the visitor's cookie."""
    return URLSafeSerializer(app.secret_key or "", salt="visitor")


def visitor_token(app: Flask, request: Request) -> str | None:
    """Return the form token of the visitor's cookie, or None where there is no genuine one."""
    cookie = request.cookies.get(app.config["VISITOR_COOKIE_NAME"])
    if not cookie:
        return None
    try:
        token: str = signer(app).loads(cookie)
    except BadSignature:
        return None
    return token
