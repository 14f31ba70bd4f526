"""What an operator should do next, from the figures. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from common.instants import both, span
from common.mail_figures import ClosedGate, Figures
from common.mail_gates import is_pause, paused_kind

LATE = timedelta(minutes=2)  # due for so long, with nothing in the way, is no progress
CURES = {
    "credentials": "set MAIL_USERNAME in .env, then `make secret NAME=mail_password` and `make up`",
    "login": "mend the account or its password: `make secret NAME=mail_password`; it is tried at once",
    "server": "see that MAIL_SERVER and MAIL_PORT are right and can be reached: `make mail-test TO=you@...`",
    "quota": "wait, or raise the quota at the relay and MAIL_DAILY_QUOTA here",
}


def advise(figures: Figures) -> list[str]:
    """Return what to do, the most urgent first; empty where all is well."""
    return [
        *_of_mailers(figures),
        *_of_gates(figures),
        *_of_progress(figures),
        *_of_attention(figures),
    ]


def _of_mailers(figures: Figures) -> Iterator[str]:
    if not figures.alive:
        yield f"No mailer is at work, and {_mails(figures.count('queued'))} waiting: start one with `make up`."


def _of_gates(figures: Figures) -> Iterator[str]:
    for gate in figures.gates:
        closed = span(figures.at - gate.since)
        if is_pause(gate.name):
            kind = paused_kind(gate.name)
            resume = f"make mail-resume KIND={kind}" if kind else "make mail-resume"
            what = f"Mail of kind {kind}" if kind else "All mail"
            yield f"{what} is paused for {closed} ({gate.reason}): `{resume}` ends it."
        else:
            yield f"Mail is held back for {closed}: {gate.reason}. {_cure(gate, figures)}"


def _cure(gate: ClosedGate, figures: Figures) -> str:
    cure = CURES.get(gate.cause, "look at the log: `make logs ARGS=mailer`")
    if gate.next_probe_at is None or gate.next_probe_at <= figures.at:
        return f"To do: {cure}."
    return f"To do: {cure}. It is tried again {both(gate.next_probe_at, figures.at)}."


def _of_progress(figures: Figures) -> Iterator[str]:
    oldest = figures.oldest_due_at
    if oldest and figures.alive and not figures.gates and figures.at - oldest > LATE:
        late = span(figures.at - oldest)
        yield (
            f"The mail that is due the longest waits for {late}, and nothing holds it back: "
            "look at it with `make mail-list ARGS='--state queued'`, and at the log."
        )


def _of_attention(figures: Figures) -> Iterator[str]:
    if number := figures.count("unsure"):
        yield (
            f"{_mails(number)} unsure, it may have arrived: see `make mail-list ARGS='--state unsure'`, "
            "then mail-retry or mail-cancel."
        )
    if number := figures.count("dead"):
        yield (
            f"{_mails(number)} given up: see `make mail-list ARGS='--state dead'`, "
            "then mail-retry once the cause is gone, or mail-cancel."
        )


def _mails(number: int) -> str:
    return "1 mail is" if number == 1 else f"{number} mails are"
