"""The database: its connections and their TLS, what takes long, what takes room, and its schema."""

from flask import Blueprint, render_template

from common.schema import HEAD
from web.console.statements import without_values
from web.extensions import db
from web.operation import database, pool

bp = Blueprint("database", __name__, url_prefix="/database")


@bp.get("")
def show() -> str:
    """Show it all, as far as web's role may see it."""
    in_use, most = pool.in_use()
    return render_template(
        "console/database.html",
        known=database.read(db.session()),
        head=HEAD,
        in_use=in_use,
        most=most,
        without_values=without_values,
    )
