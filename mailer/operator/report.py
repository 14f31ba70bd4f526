"""The figures of the mail as text for an operator's terminal."""

from collections.abc import Iterator
from datetime import timedelta

from common.instants import absolute, both, relative, span
from common.mail_figures import QUANTILES, RETRY_SECONDS, WINDOWS_SECONDS, Figures
from mailer.operator.advice import advise
from mailer.operator.listing import table


def status(figures: Figures, quota: int) -> str:
    """Return the whole report; `quota` is how many mails may go in 24 hours, 0 any number."""
    parts = [
        f"mail, {absolute(figures.at)}",
        _waiting(figures),
        _done(figures),
        "\n".join(_pace(figures, quota)),
        _gates(figures),
        _mailers(figures),
        _advice(figures),
    ]
    return "\n\n".join(parts)


def _waiting(figures: Figures) -> str:
    if not figures.waiting:
        return "nothing waits"
    header = ("WAITING", "MAILS", "DUE", "IN HAND", "OLDEST DUE")
    rows = [
        (
            one.kind,
            str(one.mails),
            str(one.due),
            str(one.in_hand),
            relative(one.oldest_due_at, figures.at) if one.oldest_due_at else "",
        )
        for one in figures.waiting
    ]
    text = table(header, rows, numbers=("MAILS", "DUE", "IN HAND"))
    if not figures.retries[-1]:
        return text
    return f"{text}\n{_retries(figures)}"


def _retries(figures: Figures) -> str:
    """Say when what failed is tried again: how many within which time, where that is more."""
    ends = [
        "now",
        *(f"within {span(timedelta(seconds=end))}" for end in RETRY_SECONDS[1:]),
        "in all",
    ]
    fewer = (0, *figures.retries)
    words = [
        f"{number} {end}"
        for end, number, before in zip(ends, figures.retries, fewer, strict=False)
        if number > before
    ]
    return f"failed before, tried again: {', '.join(words)}"


def _done(figures: Figures) -> str:
    if not figures.done:
        return "nothing was done in the last 24 hours"
    rows = [(one.kind, one.state, str(one.mails), _span_of(one.state)) for one in figures.done]
    return table(("DONE", "STATE", "MAILS", ""), rows, numbers=("MAILS",))


def _span_of(state: str) -> str:
    return "ever" if state in {"dead", "unsure"} else "in 24 h"


def _pace(figures: Figures, quota: int) -> Iterator[str]:
    """Yield how fast it goes."""
    sent = [
        f"{number} in {span(timedelta(seconds=seconds))} ({number / seconds:.1f}/s)"
        for seconds, number in zip(WINDOWS_SECONDS, figures.sent, strict=True)
    ]
    yield f"sent: {', '.join(sent)}"
    if figures.seconds_to_accept:
        told = [
            f"p{quantile * 100:.0f} {_duration(seconds)}"
            for quantile, seconds in zip(QUANTILES, figures.seconds_to_accept, strict=True)
        ]
        yield f"from queued to accepted, within the last hour: {', '.join(told)}"
    used = figures.count("sent")
    yield (
        f"quota: {used} of {quota} used in 24 h"
        if quota
        else f"quota: none set, {used} sent in 24 h"
    )


def _gates(figures: Figures) -> str:
    if not figures.gates:
        return "gates: all open"
    rows = [
        (
            gate.name,
            gate.cause,
            both(gate.since, figures.at),
            relative(gate.next_probe_at, figures.at) if gate.next_probe_at else "when resumed",
            str(gate.probes),
            gate.reason,
        )
        for gate in figures.gates
    ]
    header = ("CLOSED GATE", "CAUSE", "SINCE", "NEXT PROBE", "PROBES", "REASON")
    return table(header, rows, numbers=("PROBES",))


def _mailers(figures: Figures) -> str:
    if not figures.mailers:
        return "mailers: none"
    rows = [
        (
            str(mailer.number),
            mailer.host,
            relative(mailer.started_at, figures.at),
            "at work" if mailer.lives else "gone, with mail in hand that another takes up",
        )
        for mailer in figures.mailers
    ]
    return table(("MAILER", "HOST", "STARTED", ""), rows, numbers=("MAILER",))


def _advice(figures: Figures) -> str:
    """Say what to do next."""
    return "\n".join(advise(figures)) or "All is well; there is nothing to do."


def _duration(seconds: float) -> str:
    """Return a duration that may be short."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else span(timedelta(seconds=seconds))
