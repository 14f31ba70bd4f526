"""What the console may ask of the mailer, verb by verb; each is what the command of its name does."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from common.jobs import Job
from common.mail_records import raw_start_of
from common.outbox import is_address
from mailer.operator import copies, preview
from mailer.operator.commands import Means, UsageError, steps_of_trial, what_of
from mailer.operator.controls import Controls, Outcome, wake
from mailer.operator.copies import NotAgainError
from mailer.suppressions import EVERYTHING, suppress, unsuppress

BY_AN_OPERATOR = "by an operator"
PREVIEWED_BYTES = 2_000_000  # of a mail; its texts come before what is attached

Arguments = Mapping[str, Any]
Answer = dict[str, Any]


class RefusedError(Exception):
    """It can't be done; the message says why, and what to do."""


class Tell(Protocol):
    """Where each step is told."""

    def __call__(self, said: str, ok: bool = True) -> None:
        """Write the step down."""


def do(job: Job, means: Means, tell: Tell) -> Answer:
    """Do it and return the answer, or raise RefusedError."""
    verb = VERBS.get(job.verb)
    if verb is None:
        message = f"this mailer can't {job.verb!r}; is it older than the web?"
        raise RefusedError(message)
    try:
        return verb(means, job.arguments, tell)
    except KeyError as error:
        message = f"{job.verb} was asked without {error}"
        raise RefusedError(message) from error


def retry(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """Queue mail again as if it came now."""
    return settled("is queued again", Controls(means.engine).retry(numbers(asked)), tell)


def cancel(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """See to it that mail is not sent."""
    return settled("is cancelled", Controls(means.engine).cancel(numbers(asked)), tell)


def numbers(asked: Arguments) -> Sequence[int]:
    """Return which mails are meant."""
    return [int(number) for number in asked["ids"]]


def settled(done: str, outcome: Outcome, tell: Tell) -> Answer:
    """Tell what became of each, and return the same; where it could be done to none, that is an error."""
    for number in outcome.done:
        note = outcome.notes.get(number)
        tell(f"mail {number} {done}" + (f": {note}" if note else ""))
    for number, why in outcome.refused.items():
        tell(f"mail {number}: {why}", ok=False)
    if not outcome.done:
        raise RefusedError("; ".join(outcome.refused.values()) or "there is no such mail")
    return {"done": outcome.done, "refused": {str(n): why for n, why in outcome.refused.items()}}


def resend(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """Send a mail that was sent once more, as a new one."""
    with means.engine.begin() as transaction:
        try:
            number = copies.queue_copy(transaction, int(asked["id"]), datetime.now(UTC))
        except NotAgainError as error:
            raise RefusedError(str(error)) from error
    tell(f"mail {asked['id']} is sent once more, as mail {number}")
    return {"id": number}


def pause(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """Hold all mail back, or all of a kind."""
    kind, reason = asked.get("kind") or None, asked.get("reason") or BY_AN_OPERATOR
    Controls(means.engine).pause(kind, reason)
    tell(f"{what_of(kind)} is paused; what is being handed over just now still goes")
    return {"paused": kind or EVERYTHING, "reason": reason}


def resume(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """End a pause."""
    kind = asked.get("kind") or None
    if not Controls(means.engine).resume(kind):
        message = f"{what_of(kind)} is not paused"
        raise RefusedError(message)
    tell(f"{what_of(kind)} goes again")
    return {"resumed": kind or EVERYTHING}


def probe(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """Have a gate tried now."""
    closed = Controls(means.engine).probe(asked["gate"])
    if not closed:
        message = f"the gate {asked['gate']} is open"
        raise RefusedError(message)
    tell(f"the gate {asked['gate']} is tried now; the overview tells what came of it")
    return {"probed": closed}


def suppress_address(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """Send an address no more mail: none of a kind, or none at all."""
    address, scope = asked["address"], asked.get("scope") or EVERYTHING
    if not is_address(address):
        message = f"not an address that mail can be sent to: {address[:80]!r}"
        raise RefusedError(message)
    with means.engine.begin() as transaction:
        fresh = suppress(transaction, address, scope, asked.get("reason") or BY_AN_OPERATOR)
        wake(transaction)
    tell(f"{address} gets no more {'mail' if scope == EVERYTHING else what_of(scope)}")
    return {"address": address, "scope": scope, "fresh": fresh}


def unsuppress_address(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """Let mail through to an address again."""
    address, scope = asked["address"], asked.get("scope") or None
    with means.engine.begin() as transaction:
        ended = unsuppress(transaction, address, scope)
        wake(transaction)
    if not ended:
        message = f"{address} was not suppressed"
        raise RefusedError(message)
    tell(f"{address} gets {what_of(scope) if scope and scope != EVERYTHING else 'mail'} again")
    return {"address": address, "ended": ended}


def trial(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """Send one mail past the queue, and tell each step of SMTP as it is done."""
    milliseconds, last = 0, None
    try:
        for step in steps_of_trial(means, asked.get("sender") or "", asked["to"]):
            milliseconds, last = milliseconds + step.milliseconds, step
            tell(f"{step.stage}: {step.said} ({step.milliseconds} ms)", ok=step.ok)
    except UsageError as error:
        raise RefusedError(str(error)) from error
    if last is None or not last.ok:
        raise RefusedError(last.advice if last and last.advice else "the relay did not take it")
    return {"to": asked["to"], "milliseconds": milliseconds}


def show(means: Means, asked: Arguments, tell: Tell) -> Answer:
    """Return what a mail says, without what its links are worth."""
    number = int(asked["id"])
    with means.engine.connect() as connection:
        raw = raw_start_of(connection, number, PREVIEWED_BYTES)
    if raw is None:
        message = f"the content of mail {number} was removed, or there is no such mail"
        raise RefusedError(message)
    tell(f"mail {number} is read; what makes its links work is left out")
    return {"id": number, **preview.of(raw)}


VERBS: Mapping[str, Callable[[Means, Arguments, Tell], Answer]] = {
    "retry": retry,
    "cancel": cancel,
    "resend": resend,
    "pause": pause,
    "resume": resume,
    "probe": probe,
    "suppress": suppress_address,
    "unsuppress": unsuppress_address,
    "trial": trial,
    "preview": show,
}
