"""Mail as the console shows it, and what operators do about it, for programs. For others it is not there."""

from collections.abc import Iterator
from typing import Any

from apiflask import abort
from flask import current_app, url_for

from web.accounts.current import who
from web.api.blueprint import ID, SECURITY, blueprint
from web.api.console_mail_shapes import (
    GateIn,
    JobOut,
    KindIn,
    MailOut,
    MessagesOut,
    MessagesQuery,
    PauseIn,
    ScopeIn,
    SuppressionIn,
    SuppressionsOut,
    SuppressionsQuery,
    WholeMessageOut,
)
from web.api.operators import require_operator
from web.api.paging import link_to
from web.console import asking
from web.console.mail import figures, finding, messages, suppressions, trial
from web.console.mail.search import Search
from web.console.mail.standing import read_standing
from web.extensions import reading

JOB = {"job": 12, "url": "http://localhost:8000/api/v1/console/jobs/12"}

bp = blueprint("console_mail", __name__, "/console/mail")
bp.before_request(require_operator)


@bp.get("")
@bp.doc(security=SECURITY)
@bp.output(MailOut, description="Mail at a glance.")
def overview() -> dict[str, Any]:
    """Tell how the mail does."""
    with reading() as connection:
        standing = read_standing(connection)
        known = figures.read_figures(connection, standing.at)
    return {
        "at": standing.at,
        "oldest_due_at": standing.oldest_due_at,
        "gates": standing.gates,
        "mailers": standing.mailers,
        "kinds": list(kinds_of(known)),
        "counted_to": figures.MOST,
        "hours": known.hours,
        "days": known.days,
    }


def kinds_of(known: figures.Figures) -> Iterator[dict[str, Any]]:
    """Yield each kind."""
    for kind in known.kinds:
        mails = {state: kind.mails[state] for state in ("queued", "unsure", "dead")}
        yield {"name": kind.name, "due": kind.due, "sent": kind.sent, **mails}


@bp.get("/messages")
@bp.doc(security=SECURITY)
@bp.input(MessagesQuery, location="query", unknown="raise")
@bp.output(MessagesOut, description="A page of mails.")
def list_messages(query_data: dict[str, Any]) -> dict[str, Any]:
    """List mail.

    The newest first, a page at a time: follow next until it is null. A search of much mail may
    answer with fewer than limit, or none, and go on at next.
    """
    limit = query_data["limit"]
    wanted = {name: query_data[name] for name in ("state", "kind", "q") if name in query_data}
    asked = Search.of(**{"state": "", "kind": "", "q": "", **wanted})
    with reading() as connection:
        found = finding.find(connection, asked, limit + 1, query_data.get("before"))
    page = found.rows[:limit]
    end = page[-1].id if len(found.rows) > limit else found.ended_at
    link = link_to(**wanted, limit=limit, before=end) if end else None
    return {"items": page, "next": link}


@bp.get(f"/messages/<{ID}:mail_id>")
@bp.doc(security=SECURITY)
@bp.output(WholeMessageOut, description="One mail.")
def show_message(mail_id: int) -> dict[str, Any]:
    """Tell all that is known of a mail, but what it says."""
    with reading() as connection:
        told = messages.tell(connection, mail_id)
    if told is None:
        abort(404, "There is no such mail.")
    known = {name: getattr(told.mail, name, None) for name in WholeMessageOut().fields}
    return {
        **known,
        "explanation": told.explanation,
        "next_try_at": told.next_try_at,
        "actions": told.actions,
        "tries": told.attempts,
    }


@bp.post(f"/messages/<{ID}:mail_id>/retry")
@bp.doc(security=SECURITY)
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def retry(mail_id: int) -> dict[str, Any]:
    """Queue a mail again, as if it came now."""
    return ask("retry", f"mail {mail_id}", ids=[mail_id])


@bp.post(f"/messages/<{ID}:mail_id>/cancel")
@bp.doc(security=SECURITY)
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def cancel(mail_id: int) -> dict[str, Any]:
    """See to it that a mail is not sent."""
    return ask("cancel", f"mail {mail_id}", ids=[mail_id])


@bp.post(f"/messages/<{ID}:mail_id>/resend")
@bp.doc(security=SECURITY)
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def resend(mail_id: int) -> dict[str, Any]:
    """Send a mail that was sent once more, as a new one."""
    return ask("resend", f"mail {mail_id}", id=mail_id)


@bp.post(f"/messages/<{ID}:mail_id>/preview")
@bp.doc(security=SECURITY)
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def preview(mail_id: int) -> dict[str, Any]:
    """Show what a mail says, without what its links are worth: the job's answer has it for an hour."""
    return ask("preview", f"mail {mail_id}", id=mail_id)


@bp.get("/suppressions")
@bp.doc(security=SECURITY)
@bp.input(SuppressionsQuery, location="query", unknown="raise")
@bp.output(SuppressionsOut, description="A page of addresses.")
def list_suppressions(query_data: dict[str, Any]) -> dict[str, Any]:
    """List the addresses that get no mail."""
    limit, q = query_data["limit"], cleaned(query_data.get("q", ""))
    after = cleaned(query_data.get("after", "")), cleaned(query_data.get("scope", ""))
    with reading() as connection:
        rows = suppressions.find(connection, q, limit + 1, after)
    page, link = rows[:limit], None
    if len(rows) > limit:
        link = link_to(q=q or None, limit=limit, after=page[-1].address, scope=page[-1].scope)
    return {"items": page, "next": link}


def cleaned(given: str) -> str:
    """Return it as the database takes it."""
    return given.replace("\0", "\ufffd")


@bp.post("/suppressions")
@bp.doc(security=SECURITY)
@bp.input(SuppressionIn, location="json")
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def suppress(json_data: dict[str, str]) -> dict[str, Any]:
    """Send an address no more mail: none of a kind, or none at all."""
    return ask("suppress", json_data["address"], **json_data)


@bp.post("/suppressions/end")
@bp.doc(security=SECURITY)
@bp.input(ScopeIn, location="json")
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def unsuppress(json_data: dict[str, str]) -> dict[str, Any]:
    """Let mail through to an address again."""
    return ask("unsuppress", json_data["address"], **json_data)


@bp.post("/pause")
@bp.doc(security=SECURITY)
@bp.input(PauseIn, location="json")
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def pause(json_data: dict[str, str]) -> dict[str, Any]:
    """Hold all mail back, or all of a kind."""
    return ask("pause", json_data["kind"] or "all mail", **json_data)


@bp.post("/resume")
@bp.doc(security=SECURITY)
@bp.input(KindIn, location="json")
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def resume(json_data: dict[str, str]) -> dict[str, Any]:
    """End a pause."""
    return ask("resume", json_data["kind"] or "all mail", **json_data)


@bp.post("/probe")
@bp.doc(security=SECURITY)
@bp.input(GateIn, location="json")
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def probe(json_data: dict[str, str]) -> dict[str, Any]:
    """Have a gate tried now."""
    return ask("probe", json_data["gate"], **json_data)


@bp.post("/trial")
@bp.doc(security=SECURITY)
@bp.output(JobOut, 202, description="It is asked of the mailer.", example=JOB)
def send_trial() -> dict[str, Any]:
    """Send a mail to whoever asks, past the queue; the job's steps are those of SMTP."""
    return ask("trial", who().email, **trial.arguments(who().email))


def ask(verb: str, subject: str, **arguments: Any) -> dict[str, Any]:
    """Ask the mailer, and say where the answer will be."""
    number = asking.queue("mailer", verb, subject, **arguments).id
    path = url_for("console_jobs.show", job_id=number)
    return {"job": number, "url": f"{current_app.config['BASE_URL']}{path}"}
