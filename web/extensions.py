"""The libraries that the blueprints share; `create_app` gives each its settings."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from flask_caching import Cache
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from web.models import Base

db = SQLAlchemy(model_class=Base)
cache = Cache(with_jinja2_ext=False)  # used through web.caching alone
csrf = CSRFProtect()

log = structlog.get_logger(__name__)


@contextmanager
def reading() -> Iterator[Connection]:
    """Lend a connection for a statement that needs no transaction, and so no beginning and no end."""
    with db.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def let_go(_error: BaseException | None) -> None:
    """End the request's transaction, also on a connection that broke after its last answer.

    Flask-SQLAlchemy would raise then, when the answer is finished already, and so lose it.
    """
    if not db.session.registry.has():
        return
    try:
        db.session.rollback()
    except DBAPIError as error:
        log.warning("database went away after the answer", reason=str(error.orig).strip())
