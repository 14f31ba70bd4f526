"""Who met which rate limit, over a day; who is refused now, and an end to that."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from web.accounts.current import who
from web.console import audit, limit_plots
from web.console.printable import printable
from web.extensions import db
from web.limits import blocked, breach_figures
from web.limits.breach_figures import Client, Day

LONGEST = 254  # of who asked, as the page shows it

log = structlog.get_logger(__name__)

bp = Blueprint("limits", __name__, url_prefix="/limits")


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody who is refused now."""

    client: Client
    until: datetime


@bp.get("")
def show() -> str:
    """Show the breaches of a day, and who of them is refused now."""
    day = breach_figures.read(db.session())
    return render_template(
        "console/limits.html",
        day=day,
        plots=limit_plots.plots_of(day),
        refused=refused_now(day),
        is_of_one_process=blocked.is_of_one_process(),
    )


def refused_now(day: Day) -> list[Refused]:
    """Return who is refused now, of those that met a limit lately."""
    ends = [(client, blocked.until(client.rule, client.who)) for client in day.clients]
    return [Refused(client, until) for client, until in ends if until]


@bp.post("/clear")
def clear() -> ResponseReturnValue:
    """Let somebody through again."""
    rule, client = request.form.get("rule", ""), request.form.get("who", "")[:LONGEST]
    if not client or not blocked.limits_of(current_app, rule):
        abort(HTTPStatus.BAD_REQUEST)
    if let_through(rule, client):
        flash(f"{client} is let through by {rule!r} again.")
    else:
        flash(f"{client} asked again meanwhile, and is refused by {rule!r} still.", "error")
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


def let_through(rule: str, client: str) -> bool:
    """Forget what was counted of them under this rule; return whether they are let through now."""
    client = printable(client)
    is_clear = blocked.clear(rule, client)
    audit.record(db.session(), "limit.clear", client, rule=rule)
    db.session.commit()
    log.info("rate limit cleared", rule=rule, who=client, by=who().account_id)
    return is_clear
