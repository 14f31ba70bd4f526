"""Mail at a glance: what waits, what holds it back, how much goes and how fast; and the levers."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from common.mail_gates import is_pause, paused_kind
from web.accounts.current import who
from web.console import asking
from web.console.mail import figures, plots, trial
from web.console.mail.standing import read_standing
from web.extensions import reading

LONGEST = 254  # of what is typed

bp = Blueprint("mail", __name__, url_prefix="/mail")


@bp.get("")
def show() -> str:
    """Show it."""
    with reading() as connection:
        standing = read_standing(connection)
        known = figures.read_figures(connection, standing.at)
    paused = {paused_kind(gate.name) for gate in standing.gates if is_pause(gate.name)}
    return render_template(
        "console/mail/overview.html",
        standing=standing,
        figures=known,
        hours=plots.by_hour(known, standing.at),
        days=plots.by_day(known, standing.at),
        paused=paused,
        most=figures.MOST,
        me=who().email,
    )


@bp.post("/pause")
def pause() -> ResponseReturnValue:
    """Hold all mail back, or all of a kind."""
    kind = field("kind")
    reason = field("reason")
    if not reason:
        flash("Say why, for whoever wonders.", "error")
        return redirect(url_for(".show"), 303)
    return asking.ask("mailer", "pause", kind or "all mail", kind=kind, reason=reason)


@bp.post("/resume")
def resume() -> ResponseReturnValue:
    """End a pause."""
    kind = field("kind")
    return asking.ask("mailer", "resume", kind or "all mail", kind=kind)


@bp.post("/probe")
def probe() -> ResponseReturnValue:
    """Have a gate tried now."""
    gate = field("gate")
    return asking.ask("mailer", "probe", gate, gate=gate)


@bp.post("/trial")
def send_trial() -> ResponseReturnValue:
    """Send a mail to whoever asks, and show each step."""
    return asking.ask("mailer", "trial", who().email, **trial.arguments(who().email))


def field(name: str) -> str:
    """Return what was typed, as the database takes it."""
    return request.form.get(name, "").replace("\0", "").strip()[:LONGEST]
