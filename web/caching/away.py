"""Whether an error says that the database is away, rather than that we made a mistake."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


def database_is_away(error: Exception) -> bool:
    """Return whether the database, or a connection to it, was not to be had."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
