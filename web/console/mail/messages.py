"""The mails: a list that is searched, and one of them with its tries, what comes next, and what can be done."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from common.mail_explanation import explain, next_try_at
from common.mail_records import Attempt, Record, attempts_of, named
from web.accounts import paging
from web.accounts.paging import ASKED
from web.api.blueprint import ID
from web.console import asking
from web.console.mail.finding import find
from web.console.mail.search import STATES, Search
from web.console.mail.standing import Standing, read_standing
from web.extensions import reading
from web.mail.kinds import KINDS

AGAIN = {"queued", "unsure", "dead", "expired", "suppressed", "cancelled"}
STOPPABLE = {"queued", "unsure", "dead"}
MOST_TRIES = 50  # of which a page tells

bp = Blueprint("mail_messages", __name__, url_prefix="/mail/messages")


@dataclass(frozen=True, slots=True)
class Told:
    """One mail, and what there is to say of it."""

    mail: Record
    attempts: list[Attempt]
    standing: Standing

    @property
    def explanation(self) -> str:
        """Return why it is not sent, or what became of it."""
        return explain(self.mail, self.standing.gates, self.standing.alive, self.standing.at)

    @property
    def next_try_at(self) -> object:
        """Return when it is tried next; None: not by itself."""
        return next_try_at(self.mail, self.standing.gates, self.standing.alive, self.standing.at)

    @property
    def actions(self) -> list[str]:
        """Return what can be asked; whether it can be done then, the mailer says."""
        state, has_content = self.mail.state, self.mail.has_content
        possible = {
            "retry": state in AGAIN and has_content,
            "resend": state == "sent" and has_content,
            "cancel": state in STOPPABLE,
            "preview": has_content,
        }
        return [action for action, is_possible in possible.items() if is_possible]


@bp.get("")
def show() -> str:
    """List mail, the newest first."""
    given = request.args
    search = Search.of(given.get("state", ""), given.get("kind", ""), given.get("q", ""))
    with reading() as connection:
        found = find(connection, search, ASKED, paging.before())
    page = paging.page(found.rows)
    return render_template(
        "console/mail/messages.html",
        **{**page, "older": page["older"] or found.ended_at},
        is_cut=found.ended_at is not None,
        search=search,
        states=STATES,
        kinds=sorted(KINDS),
    )


@bp.get(f"/<{ID}:number>")
def one(number: int) -> str:
    """Show one."""
    with reading() as connection:
        told = tell(connection, number) or abort(HTTPStatus.NOT_FOUND)
    return render_template("console/mail/message.html", told=told, mail=told.mail, most=MOST_TRIES)


def tell(connection: Connection, number: int) -> Told | None:
    """Return a mail with all that is known of it; None: there is none."""
    found = named(connection, [str(number)])
    if not found:
        return None
    return Told(found[0], attempts_of(connection, found[0]), read_standing(connection))


@bp.post(f"/<{ID}:number>/retry")
def retry(number: int) -> ResponseReturnValue:
    """Queue it again as if it came now."""
    return asking.ask("mailer", "retry", f"mail {number}", ids=[number])


@bp.post(f"/<{ID}:number>/cancel")
def cancel(number: int) -> ResponseReturnValue:
    """See to it that it is not sent."""
    return asking.ask("mailer", "cancel", f"mail {number}", ids=[number])


@bp.post(f"/<{ID}:number>/resend")
def resend(number: int) -> ResponseReturnValue:
    """Send it once more, as a new mail."""
    return asking.ask("mailer", "resend", f"mail {number}", id=number)


@bp.post(f"/<{ID}:number>/preview")
def preview(number: int) -> ResponseReturnValue:
    """Show what it says, without what its links are worth."""
    job = asking.queue("mailer", "preview", f"mail {number}", id=number)
    return redirect(url_for("console.mail_previews.show", number=job.id), HTTPStatus.SEE_OTHER)
