"""Who is signed in now, and where: everybody together. It is ended on the page of the person, or from here."""

from datetime import UTC, datetime

from flask import Blueprint, render_template

from web.accounts import agents, paging, sign_ins
from web.accounts.current import who
from web.accounts.paging import ASKED
from web.extensions import db

bp = Blueprint("sign_ins", __name__, url_prefix="/people/sign-ins")


@bp.get("")
def show() -> str:
    """List them, the newest first."""
    now = datetime.now(UTC)
    found = sign_ins.of_everybody(db.session(), now, limit=ASKED, before=paging.before())
    return render_template(
        "console/sign_ins.html",
        **paging.page(found),
        here=who().sign_in_id,
        in_words=agents.in_words,
    )
