"""Connections to PostgreSQL: verified, bounded in time, and healed when the server comes back."""

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from common.settings import Settings

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30


def engine_options(
    settings: Settings, application_name: str, statement_seconds: int = STATEMENT_SECONDS
) -> dict[str, Any]:
    """Return the keyword arguments of `create_engine`: the pool, and what bounds each connection.

    The database cancels a statement that takes longer than `statement_seconds`. Keepalives notice a
    server that vanished without a word within 25 seconds.
    """
    return {
        "pool_size": settings.db_pool_size,
        "max_overflow": settings.db_max_overflow,
        "pool_timeout": settings.db_pool_timeout,
        "pool_recycle": settings.db_pool_recycle,
        "pool_pre_ping": settings.db_pool_pre_ping,
        "hide_parameters": True,  # tracebacks go to the log, and values may be personal
        "connect_args": {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": application_name,
            "options": f"-c statement_timeout={statement_seconds}s -c timezone=UTC",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
    }


def open_engine(settings: Settings, application_name: str) -> Engine:
    """Return an engine; nothing is connected before it is used."""
    url = settings.database_url.get_secret_value()
    return create_engine(url, **engine_options(settings, application_name))


def reason_of(error: BaseException) -> str:
    """Return what went wrong in one line; of SQLAlchemy's errors, not the statement and its values."""
    told = error.orig if isinstance(error, DBAPIError) and error.orig else error
    lines = str(told).strip().splitlines()
    return lines[0] if lines else type(error).__name__
