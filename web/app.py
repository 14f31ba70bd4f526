"""The application, put together."""

from flask import Flask
from flask_mail import Mail
from werkzeug.middleware.proxy_fix import ProxyFix

from common.database import engine_options
from web.accounts import pages as accounts
from web.api import backups as api_of_backups
from web.api import (
    console_invitations,
    console_jobs,
    console_mail,
    console_notices,
    console_people,
    console_site,
    cors,
    me,
    openapi,
    reference,
)
from web.api import notices as notices_api
from web.api import status as api
from web.assets import serving as assets
from web.caching import extension as caching
from web.console import site as console
from web.exchange import errors, headers, numbers, tracing
from web.exchange.fast_lane import FastLane
from web.exchange.tracing import TracedFlask
from web.extensions import csrf, db, let_go
from web.inbox import pages as inbox
from web.limits import limiter as limits
from web.notices import pages as notices
from web.notices import subscribe, unsubscribe
from web.operation import health, metrics, pool
from web.sessions import interface as sessions
from web.sessions import keeping
from web.settings import Settings
from web.status import badge, feed
from web.status import page as status

LARGEST_REQUEST_BYTES = 64 * 1024  # forms of a few fields
STATEMENT_SECONDS = 10  # nobody waits longer for a page, and each who does holds a connection


def create_app(settings: Settings) -> Flask:
    """Build the application from its settings; nothing is connected before it is used."""
    app = TracedFlask(
        "web",
        static_folder=None,  # type: ignore[arg-type] # as Flask's, which takes None
        json_errors=False,  # pages are pages; what is under /api/ has web.api.problems
        enable_openapi=False,  # its pages load scripts from elsewhere; ours are web.api.reference
    )
    app.extensions["settings"] = settings  # for the console, which shows them
    configure(app, settings)
    tracing.init_app(app)
    numbers.init_app(app)
    add_libraries(app, settings)
    assets.init_app(app, edited=settings.app_env == "development")
    openapi.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    add_blueprints(app)
    keeping.init_app(app)  # stays last: what is done after a view is done in reverse
    app.wsgi_app = FastLane(app)  # type: ignore[method-assign]
    # Exactly the known proxies: one more, and a client could write its own address.
    hops = settings.trusted_proxies
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Give Flask and the libraries their settings, under the names that they look for."""
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST_BYTES,
        TEMPLATES_AUTO_RELOAD=settings.app_env == "development",
        BASE_URL=settings.base_url,
        STREAMS_AT_ONCE=settings.web_threads // 2,
        HOST=settings.host,
        REGISTRATION=settings.registration,
        EDGE_URL=settings.edge_url,
        EDGE_CA_FILE=settings.edge_ca_file,
        MAIL_DEFAULT_SENDER=settings.sender,
        SQLALCHEMY_DATABASE_URI=settings.database_url.get_secret_value(),
        # A traceback in the log shows the statement, without what people typed.
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings, "web", STATEMENT_SECONDS),
    )
    app.config["HAS_INBOX"] = settings.app_env == "development"
    app.config["HTTPS_ONLY"] = settings.app_env == "production"
    app.config.from_mapping(sessions.config(settings))
    app.config.from_mapping(limits.config(settings))
    app.config.from_mapping(caching.config(settings))


def add_libraries(app: Flask, settings: Settings) -> None:
    """Attach the libraries; limits come before form tokens, so that guessing tokens is limited."""
    db.init_app(app)
    pool.init_app(app, settings)
    app.teardown_appcontext(let_go)  # the last one registered is the first to run
    caching.init_app(app, settings)
    sessions.init_app(app, settings)
    limits.init_app(app, settings)
    csrf.init_app(app)
    cors.init_app(app, settings)
    Mail(app)


def add_blueprints(app: Flask) -> None:
    """Register the pages; a team adds its own here."""
    for blueprint in (
        status.bp,
        feed.bp,
        badge.bp,
        subscribe.bp,
        unsubscribe.bp,
        notices.bp,
        api.bp,
        me.bp,
        notices_api.bp,
        console_notices.bp,
        console_people.bp,
        console_invitations.bp,
        console_site.bp,
        console_jobs.bp,
        console_mail.bp,
        api_of_backups.bp,
        reference.bp,
        health.bp,
        metrics.bp,
    ):
        app.register_blueprint(blueprint)
    accounts.init_app(app)
    console.init_app(app)
    if app.config["HAS_INBOX"]:
        app.register_blueprint(inbox.bp)
