"""Why a mail is not sent, and when it is tried next: one sentence, whatever its state. Pure."""

from collections.abc import Collection, Iterator
from datetime import datetime

from common.instants import both, span
from common.mail_figures import ClosedGate
from common.mail_gates import ALLOWANCE, PAUSE, QUOTA, RELAY, is_pause, pause_of, paused_kind
from common.mail_records import Record
from common.outbox import LAST_URGENT


def explain(
    mail: Record, gates: Collection[ClosedGate], alive: Collection[int], now: datetime
) -> str:
    """Return the sentence. `alive` is the numbers of the mailers that live."""
    if mail.state == "queued":
        return f"{_of_queued(mail, gates, alive, now)}."
    return f"{_of_done(mail, now)}."


def next_try_at(
    mail: Record, gates: Collection[ClosedGate], alive: Collection[int], now: datetime
) -> datetime | None:
    """Return when a mailer tries next, as far as is known; None: not by itself, or being tried now."""
    if mail.state != "queued" or mail.lease_by in alive or not alive:
        return None
    closed = [gate for gate in gates if holds(gate, mail)]
    probes = [gate.next_probe_at for gate in closed if gate.next_probe_at]
    if len(probes) < len(closed):
        return None
    tried_at = max([mail.due_at, *probes, now])
    return tried_at if mail.expires_at is None or tried_at < mail.expires_at else None


def holds(gate: ClosedGate, mail: Record) -> bool:
    """Say whether this gate holds this mail back; urgent mail has a part of the quota for itself."""
    if gate.name == ALLOWANCE:
        return mail.priority > LAST_URGENT
    return gate.name in {RELAY, QUOTA, PAUSE, pause_of(mail.kind)}


def _of_queued(
    mail: Record, gates: Collection[ClosedGate], alive: Collection[int], now: datetime
) -> str:
    if mail.lease_by in alive:
        return f"mailer {mail.lease_by} is handing it over just now"
    if mail.expires_at and mail.expires_at <= now:
        return (
            f"it expired {both(mail.expires_at, now)}, before it could be sent; "
            "a mailer marks it so at its next look at the queue"
        )
    parts = [_waits_for(mail, now), *_obstacles(mail, gates, alive, now)]
    if mail.expires_at:
        parts.append(f"if it is not sent until {both(mail.expires_at, now)}, it expires")
    return "; ".join(parts)


def _waits_for(mail: Record, now: datetime) -> str:
    """Say what the mail itself waits for."""
    if mail.lease_by is not None:
        return f"mailer {mail.lease_by} had it in hand and is gone"
    if mail.due_at > now and not mail.attempts:
        return f"it is not to be sent before {both(mail.due_at, now)}"
    if mail.due_at > now:
        failure = f"it failed {_times(mail.attempts)}, at last with: {_why(mail)}"
        return f"{failure}; it is tried again {both(mail.due_at, now)}"
    return f"it is due since {both(mail.due_at, now)}"


def _obstacles(
    mail: Record, gates: Collection[ClosedGate], alive: Collection[int], now: datetime
) -> Iterator[str]:
    """Yield what holds it back, or that nothing does."""
    if not alive:
        yield "no mailer is at work: start one (make up)"
    closed = [gate for gate in gates if holds(gate, mail)]
    for gate in closed:
        yield _of_gate(gate, now)
    if alive and not closed:
        yield from _of_nothing(mail, gates, now)


def _of_gate(gate: ClosedGate, now: datetime) -> str:
    if is_pause(gate.name):
        kind = paused_kind(gate.name)
        what, resume = (
            (f"mail of kind {kind}", f"resume --kind {kind}") if kind else ("all mail", "resume")
        )
        return f"{what} is paused for {span(now - gate.since)}: {gate.reason} (`{resume}` ends it)"
    held = f"held back for {span(now - gate.since)}: {gate.reason}"
    if gate.name == ALLOWANCE:
        return (
            f"{held}; more may go {both(gate.next_probe_at, now)}" if gate.next_probe_at else held
        )
    if gate.next_probe_at is None:
        return f"{held}; `probe` tries it"
    if gate.next_probe_at <= now:
        return f"{held}; the relay is tried again now"
    return f"{held}; the relay is tried again {both(gate.next_probe_at, now)}, or now with `probe`"


def _of_nothing(mail: Record, gates: Collection[ClosedGate], now: datetime) -> Iterator[str]:
    """Yield what comes next where nothing holds the mail back."""
    spent = [gate for gate in gates if gate.name == "allowance"]
    if not mail.has_content:
        yield "its content is gone, so it can't be sent; `cancel` ends it"
    elif spent:
        yield f"it is urgent, so it goes while any of the quota is left: {spent[0].reason}"
    elif mail.lease_by is not None:
        yield "another takes it up within seconds"
    elif mail.due_at <= now:
        yield "nothing holds it back, a mailer takes it in its turn"


def _of_done(mail: Record, now: datetime) -> str:
    then = both(mail.done_at, now) if mail.done_at else "some time ago"
    match mail.state:
        case "sent":
            return f"the relay took it {then}" + (f": {mail.reply}" if mail.reply else "")
        case "unsure":
            return (
                f"it may have arrived, {then}: {_why(mail)}; it is not tried again by itself; "
                f"`retry {mail.id}` sends the same mail once more, `cancel {mail.id}` leaves it at that"
            )
        case "dead":
            return (
                f"it was given up {then} after {_times(mail.attempts, 'failure')}: {_why(mail)}; "
                f"`retry {mail.id}` begins anew once the cause is gone"
            )
        case "expired":
            return f"it expired {then}, before it could be sent: {_why(mail)}"
        case "suppressed":
            return (
                f"it was not sent, {then}: {_why(mail)}; "
                f"after `unsuppress {mail.recipient}`, `retry {mail.id}` sends it"
            )
        case _:
            return f"it was {mail.state} {then}" + (f": {_why(mail)}" if mail.last_error else "")


def _why(mail: Record) -> str:
    return (mail.last_error or "no reason was recorded").rstrip(".")


def _times(number: int, noun: str = "time") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
