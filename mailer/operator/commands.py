"""What an operator types: each verb acts through the database, and answers in words or in JSON.

Exit codes: 0 done, 1 failed or not found, 2 wrongly asked.
"""

import json
import sys
from argparse import Namespace
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from common.database import reason_of
from common.mail_explanation import explain, next_try_at
from common.mail_figures import read_closed_gates, read_figures, read_mailers
from common.mail_gates import QUOTA, RELAY
from common.mail_records import (
    Choice,
    Record,
    attempts_of,
    named,
    newest,
    now_of,
    numbers_of,
    raw_of,
    unknown,
)
from common.outbox import is_address
from mailer.operator import listing, report
from mailer.operator.advice import CURES, advise
from mailer.operator.controls import Controls, Outcome, wake
from mailer.operator.trial_mail import TrialMail, compose
from mailer.smtp.errors import DeliveryError
from mailer.smtp.trial import Step
from mailer.suppressions import EVERYTHING, read_suppressions, suppress, unsuppress

DONE, FAILED, USAGE = 0, 1, 2


class UsageError(Exception):
    """The command does not say what to do, or says two things at once."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the commands need: the database, the quota (0: none), our account, a way to try the relay.

    `login` gives what to log in with, and raises DeliveryError where there is nothing.
    """

    engine: Engine
    daily_quota: int
    username: str | None
    login: Callable[[], object]
    trial: Callable[[TrialMail], Iterable[Step]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says, to a person and to a program; `ok` where it did all it was asked to."""

    text: str
    data: Any
    ok: bool = True


def run(arguments: Namespace, means: Means) -> int:
    """Do what was asked, print the answer, and return the exit code."""
    try:
        answer: Answer = arguments.do(arguments, means)
    except UsageError as error:
        print(f"mailer {arguments.verb}: {error}", file=sys.stderr)  # noqa: T201 the answer of a command
        return USAGE
    except DBAPIError as error:
        print(f"mailer {arguments.verb}: the database says: {reason_of(error)}", file=sys.stderr)  # noqa: T201 likewise
        return FAILED
    if arguments.json:
        say(json.dumps(answer.data, default=as_json, indent=1))
    elif answer.text:
        say(answer.text)
    return DONE if answer.ok else FAILED


def status(_arguments: Namespace, means: Means) -> Answer:
    """Tell how the mail does, and what to do next."""
    with means.engine.connect() as connection:
        figures = read_figures(connection)
    used = {"used": figures.count("sent"), "of": means.daily_quota or None}
    data = asdict(figures) | {"quota": used, "advice": advise(figures)}
    return Answer(report.status(figures, means.daily_quota), data)


def show_list(arguments: Namespace, means: Means) -> Answer:
    """List mail, the newest first."""
    choice = Choice(arguments.state, arguments.kind, arguments.to)
    with means.engine.connect() as connection:
        found = newest(connection, choice, arguments.limit)
        return Answer(listing.mails(found, now_of(connection)), explained(connection, found))


def show(arguments: Namespace, means: Means) -> Answer:
    """Show one mail, its tries, why it is not sent and when it is tried next; or its bytes."""
    with means.engine.connect() as connection:
        found = named(connection, [arguments.id])
        if not found:
            return Answer(f"there is no mail {arguments.id}", None, ok=False)
        if arguments.raw:
            return show_raw(connection, found[0])
        data = explained(connection, found)
        texts = []
        for mail, told in zip(found, data, strict=True):
            attempts = attempts_of(connection, mail)
            told["tries"] = [asdict(attempt) for attempt in attempts]
            texts.append(listing.mail(mail, told["explanation"], attempts, now_of(connection)))
    return Answer("\n\n".join(texts), data)


def show_raw(connection: Connection, mail: Record) -> Answer:
    """Return the mail as it goes over the wire."""
    raw = raw_of(connection, mail)
    if raw is None:
        return Answer(f"the content of mail {mail.id} was removed", None, ok=False)
    data = {"id": mail.id, "base64": b64encode(raw).decode()}
    return Answer(raw.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n"), data)


def explained(connection: Connection, mails: Iterable[Record]) -> list[dict[str, Any]]:
    """Return the mails for a program, each with why it is not sent and when it is tried next."""
    now, gates = now_of(connection), read_closed_gates(connection)
    alive = {mailer.number for mailer in read_mailers(connection) if mailer.lives}
    return [
        asdict(mail)
        | {
            "explanation": explain(mail, gates, alive, now),
            "next_try_at": next_try_at(mail, gates, alive, now),
        }
        for mail in mails
    ]


def retry(arguments: Namespace, means: Means) -> Answer:
    """Queue mail again as if it came now, and let the relay be tried at once."""
    ids, missing = chosen(arguments, means, arguments.state)
    return settled("queued again", Controls(means.engine).retry(ids), missing, arguments)


def cancel(arguments: Namespace, means: Means) -> Answer:
    """See to it that mail is not sent; by kind, all of it that waits."""
    ids, missing = chosen(arguments, means, "queued" if arguments.kind else None)
    return settled("cancelled", Controls(means.engine).cancel(ids), missing, arguments)


def chosen(arguments: Namespace, means: Means, state: str | None) -> tuple[list[int], list[str]]:
    """Return the numbers of the mails that are meant, and the names that no mail has."""
    if bool(arguments.ids) == bool(state) or (arguments.ids and arguments.kind):
        raise UsageError("name either mails or what they have in common; --help tells how")
    with means.engine.connect() as connection:
        if arguments.ids:
            found = named(connection, arguments.ids)
            return [mail.id for mail in found], unknown(arguments.ids, found)
        return numbers_of(connection, Choice(state, arguments.kind)), []


def settled(verb: str, outcome: Outcome, missing: list[str], arguments: Namespace) -> Answer:
    """Return the answer; mail that was named and could not be had is a failure."""
    notes = [{"id": number, "note": note} for number, note in outcome.notes.items()]
    refused = [{"id": number, "why": why} for number, why in outcome.refused.items()]
    data = {"done": outcome.done, "notes": notes, "refused": refused, "unknown": missing}
    failed = missing or (arguments.ids and refused)
    return Answer(listing.outcome(verb, outcome, missing), data, ok=not failed)


def pause(arguments: Namespace, means: Means) -> Answer:
    """Hold all mail back, or all of a kind."""
    Controls(means.engine).pause(arguments.kind, arguments.reason)
    text = f"{what_of(arguments.kind)} is paused; what is being handed over just now still goes"
    return Answer(text, {"paused": arguments.kind or EVERYTHING, "reason": arguments.reason})


def resume(arguments: Namespace, means: Means) -> Answer:
    """End a pause."""
    ended = Controls(means.engine).resume(arguments.kind)
    what = what_of(arguments.kind)
    text = f"{what} goes again" if ended else f"{what} is not paused"
    return Answer(text, {"resumed": arguments.kind or EVERYTHING, "was_paused": ended}, ok=ended)


def probe(_arguments: Namespace, means: Means) -> Answer:
    """Have the relay tried now, where trouble with it holds mail back."""
    closed = Controls(means.engine).probe(RELAY, QUOTA)
    text = (
        "the relay is tried now; `status` tells what came of it" if closed else "no gate is closed"
    )
    return Answer(text, {"probed": closed})


def what_of(kind: str | None) -> str:
    """Return what a pause is about."""
    return f"mail of kind {kind}" if kind else "all mail"


def show_suppressions(_arguments: Namespace, means: Means) -> Answer:
    """List the addresses that get no more mail."""
    with means.engine.connect() as connection:
        listed = read_suppressions(connection)
        text = listing.suppressions(listed, now_of(connection))
    return Answer(text, [asdict(one) for one in listed])


def suppress_address(arguments: Namespace, means: Means) -> Answer:
    """Send an address no more mail: none of a kind, or none at all."""
    address, scope = the_address(arguments), arguments.scope
    with means.engine.begin() as transaction:
        fresh = suppress(transaction, address, scope, arguments.reason)
        wake(transaction)
    text = f"{address} gets no more {'mail' if scope == EVERYTHING else what_of(scope)}"
    return Answer(text, {"address": address, "scope": scope, "fresh": fresh})


def unsuppress_address(arguments: Namespace, means: Means) -> Answer:
    """Let mail through to an address again."""
    with means.engine.begin() as transaction:
        ended = unsuppress(transaction, arguments.address, arguments.scope)
        wake(transaction)
    address = arguments.address
    text = f"{address} gets mail again" if ended else f"{address} was not suppressed"
    return Answer(text, {"address": address, "ended": ended}, ok=ended > 0)


def test(arguments: Namespace, means: Means) -> Answer:
    """Send one mail past the queue, and tell each step as it is done."""
    steps = []
    for step in trial_steps(arguments, means):
        steps.append(step)
        if not arguments.json:
            say(listing.step(step))
    return Answer("", [asdict(step) for step in steps], ok=bool(steps) and steps[-1].ok)


def trial_steps(arguments: Namespace, means: Means) -> Iterator[Step]:
    """Yield each step as it is done."""
    return steps_of_trial(means, arguments.sender or "", the_address(arguments))


def steps_of_trial(means: Means, sender: str, recipient: str) -> Iterator[Step]:
    """Yield each step as it is done; without an account, that and not its address is what to say.

    Without a sender, the account is it.
    """
    sender = sender or means.username or ""
    if is_address(sender):
        yield from means.trial(compose(sender, recipient, datetime.now(UTC)))
        return
    try:
        means.login()
    except DeliveryError as error:
        cure = CURES.get(error.cause, "")
        yield Step(error.stage, ok=False, said=str(error), milliseconds=0, advice=cure)
        return
    raise UsageError("name the sender with --from: MAIL_USERNAME is no address")


def the_address(arguments: Namespace) -> str:
    """Return the address that was given, if it is one."""
    address: str = arguments.address
    if not is_address(address):
        message = f"not an address that mail can be sent to: {address[:80]!r}"
        raise UsageError(message)
    return address


def as_json(value: object) -> str:
    """Return what JSON has no notion of."""
    if isinstance(value, datetime):
        return value.isoformat()
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


def say(text: str) -> None:
    """Print what a command answers."""
    print(text, flush=True)  # noqa: T201 the answer of a command
