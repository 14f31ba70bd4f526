"""The link of the first operator, as it is asked for outside of any request."""

from datetime import UTC, datetime

import structlog
from flask import Flask
from sqlalchemy.exc import DBAPIError

from common.database import reason_of
from web.accounts import first_operator
from web.extensions import db

log = structlog.get_logger(__name__)


def link(app: Flask) -> str | None:
    """Return the link, or None where there is an operator; leaves no connection to be forked."""
    with app.app_context():
        try:
            found = first_operator.link(db.session(), datetime.now(UTC))
            db.session.commit()
        finally:
            db.session.remove()
            db.engine.dispose()
    return found


def announce(app: Flask) -> None:
    """Log the link as long as there is no operator; without the database, web starts all the same."""
    try:
        found = link(app)
    except DBAPIError as error:
        log.warning("no telling whether there is an operator", reason=reason_of(error))
        return
    if found:
        log.warning("no operator yet", link=found)
