"""The libraries that the blueprints share; `create_app` gives each its settings."""

import structlog
from flask_caching import Cache
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy.exc import DBAPIError

from web.models import Base

db = SQLAlchemy(model_class=Base)
cache = Cache()
csrf = CSRFProtect()

log = structlog.get_logger(__name__)


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
