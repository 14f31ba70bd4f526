"""What is wrong, and what to do about it, judged from facts. Pure: no clock, no database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from common.condition import BEAT_IS_OLD, MAIL_IS_LATE, plural, span
from web.console.known import Facts

MANY_BREACHES = 60  # in an hour; fewer are a script that somebody wrote badly
UNUSUAL = 5  # times as many as in an hour of the day before
NEARLY_ALL = 0.8
DRAFT_IS_OLD = timedelta(hours=1)
JOB_IS_LATE = timedelta(minutes=1)


class Weight(StrEnum):
    """How much a finding asks for: to act now, to look at it, or to think of it some day."""

    DOWN = "down"
    DEGRADED = "degraded"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Action:
    """What to do: a page of the console, by its endpoint, and the command that does the same.

    Where the page is a list, `state` is that of the rows to look at.
    """

    label: str
    endpoint: str = ""
    command: str = ""
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody should know."""

    weight: Weight
    title: str
    words: str
    action: Action


MAIL = Action("See the mail", "console.mail.show", "make mail-status")
GIVEN_UP = Action(
    "See which they are",
    "console.mail_messages.show",
    "make mail-list ARGS='--state dead'",
    "dead",
)
UNSURE = Action(
    "See which they are",
    "console.mail_messages.show",
    "make mail-list ARGS='--state unsure'",
    "unsure",
)
BACKUPS = Action("See the backups", "console.backups.show", "make backup-status")
LIMITS = Action("See who it is", "console.limits.show")
DATABASE = Action("See the database", "console.database.show")
PEOPLE = Action("Make somebody an operator", "console.people.show")
INVITATIONS = Action("See the invitations", "console.invitations.show")
NOTICES = Action("See the notices", "console.notices.show_all")


def judge(facts: Facts) -> list[Finding]:
    """Return what was found, the worst first."""
    found = [one for rule in RULES for one in rule(facts)]
    return sorted(found, key=lambda one: list(Weight).index(one.weight))


def is_well(found: list[Finding]) -> bool:
    """Return whether nothing of it is wrong: advice is not."""
    return all(one.weight is Weight.ADVICE for one in found)


def of_schema(facts: Facts) -> Iterator[Finding]:
    """Find a schema that is not the one of this code."""
    if facts.revision != facts.head:
        words = f"The database is at {facts.revision}, this code needs {facts.head}."
        action = Action("Bring it there", command="make migrate")
        yield Finding(Weight.DOWN, "The schema is not the one that web needs", words, action)


def of_silence(facts: Facts) -> Iterator[Finding]:
    """Find parts that are not at work."""
    for part, loss in (
        ("mailer", "Mail waits in the outbox; nothing is lost."),
        ("backup", "No backup is taken, and changes are not kept."),
    ):
        if is_silent(facts, part):
            beat = facts.beats.get(part)
            seen = f"Last seen {span(facts.at - beat.at)} ago" if beat else "Never seen"
            action = Action("See its log", command=f"make logs ARGS={part}")
            yield Finding(Weight.DOWN, f"The {part} is not at work", f"{seen}. {loss}", action)


def is_silent(facts: Facts, part: str) -> bool:
    """Return whether the part has not been seen for long."""
    beat = facts.beats.get(part)
    return beat is None or facts.at - beat.at > BEAT_IS_OLD


def of_gates(facts: Facts) -> Iterator[Finding]:
    """Find what holds mail back."""
    for gate in facts.gates:
        words = f"{gate.reason} (for {span(facts.at - gate.since)})"
        yield Finding(Weight.DEGRADED, f"Mail is held back: {gate.name}", words, MAIL)


def of_late_mail(facts: Facts) -> Iterator[Finding]:
    """Find mail that is late where nothing else says why."""
    if facts.gates or is_silent(facts, "mailer") or facts.oldest_due_at is None:
        return
    late = facts.at - facts.oldest_due_at
    if late > MAIL_IS_LATE:
        words = f"The oldest that is due waits for {span(late)}."
        yield Finding(Weight.DEGRADED, "Mail is late", words, MAIL)


def of_lost_mail(facts: Facts) -> Iterator[Finding]:
    """Find mail that somebody has to decide on."""
    if facts.dead_lately:
        title = f"{plural(facts.dead_lately, 'mail')} given up within 24 hours"
        words = "Refused, or tried too often. Each says why; those that were ours to mend can be retried."
        yield Finding(Weight.DEGRADED, title, words, GIVEN_UP)
    if facts.unsure:
        title = f"{plural(facts.unsure, 'mail')} of which nobody knows whether it arrived"
        words = "The connection ended between sending and the answer. Retry them, or cancel them."
        yield Finding(Weight.DEGRADED, title, words, UNSURE)


def of_backups(facts: Facts) -> Iterator[Finding]:
    """Find what the backup worker says; where it says nothing, what the tables say."""
    beat = facts.beats.get("backup")
    if beat and beat.trouble:
        yield Finding(Weight.DEGRADED, "Backups ask for attention", beat.trouble, BACKUPS)
        return
    if facts.failed_backups:
        words = f"Of kind: {', '.join(facts.failed_backups)}. Those before it are still there."
        yield Finding(Weight.DEGRADED, "The last backup failed", words, BACKUPS)
    for target in facts.targets:
        title = f"The target {target.name} can't be used"
        yield Finding(Weight.DEGRADED, title, target.trouble, BACKUPS)


def of_jobs(facts: Facts) -> Iterator[Finding]:
    """Find what was asked of a part that does not begin."""
    if facts.job and facts.at - facts.job.since > JOB_IS_LATE:
        words = f"It was asked {span(facts.at - facts.job.since)} ago, and nobody has begun."
        action = Action("See its log", command=f"make logs ARGS={facts.job.part}")
        yield Finding(Weight.DEGRADED, f"The {facts.job.part} does not answer", words, action)


def of_breaches(facts: Facts) -> Iterator[Finding]:
    """Find an hour with far more breaches of rate limits than usual."""
    usual = facts.breaches_before / 24
    if facts.breaches >= max(MANY_BREACHES, UNUSUAL * usual):
        words = f"{facts.breaches} requests were refused within the hour; usual are {usual:.0f}."
        yield Finding(Weight.DEGRADED, "Unusually many meet a rate limit", words, LIMITS)


def of_pool(facts: Facts) -> Iterator[Finding]:
    """Find that hardly a connection is left."""
    if facts.most_connections and facts.connections >= facts.most_connections * NEARLY_ALL:
        words = f"{facts.connections} of {facts.most_connections} connections are in use; who wants one more waits."
        yield Finding(
            Weight.DEGRADED, "Nearly all database connections are in use", words, DATABASE
        )


def of_operators(facts: Facts) -> Iterator[Finding]:
    """Advise to have a second operator."""
    if facts.operators == 1:
        words = "If they lose password and mailbox, nobody can run this site without its machine."
        yield Finding(Weight.ADVICE, "There is one operator only", words, PEOPLE)


def of_drafts(facts: Facts) -> Iterator[Finding]:
    """Remind of drafts."""
    if facts.oldest_draft_at and facts.at - facts.oldest_draft_at > DRAFT_IS_OLD:
        title = f"{plural(facts.drafts, 'notice')} never published"
        words = f"The oldest was written {span(facts.at - facts.oldest_draft_at)} ago."
        yield Finding(Weight.ADVICE, title, words, NOTICES)


def of_invitations(facts: Facts) -> Iterator[Finding]:
    """Remind of invitations that nobody has accepted."""
    if facts.invitations:
        title = f"{plural(facts.invitations, 'invitation')} open"
        words = "Whoever has the link can make an account. Withdraw what is no longer meant."
        yield Finding(Weight.ADVICE, title, words, INVITATIONS)


RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    of_schema,
    of_silence,
    of_gates,
    of_late_mail,
    of_lost_mail,
    of_backups,
    of_jobs,
    of_breaches,
    of_pool,
    of_operators,
    of_drafts,
    of_invitations,
)
