"""Subscribing to notices by e-mail, in two steps: ask, then confirm from the mailbox."""

from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.extensions import db
from web.forms import SubscribeForm
from web.limits import rules
from web.mail import mail
from web.mail.kinds import CONFIRM, LINK_LIFETIME
from web.notices import subscriptions
from web.notices.subscriptions import Link

LINK_HOURS = int(LINK_LIFETIME.total_seconds() // 3600)

STATUS_OF_LINK = {
    Link.OPEN: HTTPStatus.OK,
    Link.USED: HTTPStatus.GONE,
    Link.EXPIRED: HTTPStatus.GONE,
    Link.UNKNOWN: HTTPStatus.NOT_FOUND,
}

bp = Blueprint("subscribe", __name__, url_prefix="/subscribe")


@bp.get("")
def form() -> str:
    """Show the form."""
    return render_template("notices/subscribe.html", form=SubscribeForm())


@bp.post("")
@rules.subscribe
def submit() -> ResponseReturnValue:
    """Ask the address to confirm. The answer is the same whether or not we know it already."""
    form = SubscribeForm()
    if not form.validate_on_submit():
        return render_template("notices/subscribe.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY
    ask_to_confirm(form.address, datetime.now(UTC))
    return redirect(url_for(".asked"), HTTPStatus.SEE_OTHER)


def ask_to_confirm(address: str, now: datetime) -> None:
    """Write the subscriber and the mail in one transaction: both are there, or neither is."""
    token = subscriptions.request(db.session(), address, now)
    if token is not None:
        host = current_app.config["HOST"]
        link = current_app.config["BASE_URL"] + url_for(".open_link", token=token)
        message = mail.write(
            CONFIRM,
            f"Confirm your subscription to {host}",
            address,
            host=host,
            link=link,
            hours=LINK_HOURS,
        )
        mail.queue(db.session(), message, CONFIRM, now=now)
    db.session.commit()


@bp.get("/asked")
def asked() -> str:
    """Send the reader to their mailbox."""
    return render_template("notices/asked.html", hours=LINK_HOURS)


@bp.get("/confirm/<token>")
def open_link(token: str) -> ResponseReturnValue:
    """Show a button: a mail scanner that follows every link must not confirm for its reader."""
    link = subscriptions.look_up(db.session(), token, datetime.now(UTC))
    return show_link(link)


@bp.post("/confirm/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """Confirm the subscription."""
    link = subscriptions.confirm(db.session(), token, datetime.now(UTC))
    db.session.commit()
    if link is Link.OPEN:
        return redirect(url_for(".confirmed"), HTTPStatus.SEE_OTHER)
    return show_link(link)


def show_link(link: Link) -> ResponseReturnValue:
    """Show what a link is worth, and what to do next."""
    return render_template("notices/link.html", link=link.value, hours=LINK_HOURS), STATUS_OF_LINK[
        link
    ]


@bp.get("/confirmed")
def confirmed() -> str:
    """Thank the subscriber."""
    return render_template("notices/confirmed.html")
