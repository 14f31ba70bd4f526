"""Mail, suppressions and what was done to them, as text for an operator's terminal."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from common.instants import absolute, both, relative
from common.mail_records import Attempt, Record
from mailer.operator.controls import Outcome
from mailer.smtp.trial import Step
from mailer.suppressions import Suppression

LONGEST_CELL = 60
NAMED = 20  # so many mails are named, of those that were not as wanted

Row = Sequence[str]


def table(header: Row, rows: Sequence[Row], *, numbers: Collection[str] = ()) -> str:
    """Return aligned columns; those named in `numbers` to the right."""
    cells = [header, *([_shortened(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def line(row: Row) -> str:
        aligned = (
            cell.rjust(width) if name in numbers else cell.ljust(width)
            for name, cell, width in zip(header, row, widths, strict=True)
        )
        return "  ".join(aligned).rstrip()

    return "\n".join(map(line, cells))


def mails(records: Sequence[Record], now: datetime) -> str:
    """Return a line for each mail."""
    if not records:
        return "there is no such mail"
    header = ("ID", "STATE", "KIND", "TO", "QUEUED", "TRIES", "NEXT OR DONE", "LAST ERROR")
    rows = [
        (
            str(mail.id),
            mail.state,
            mail.kind,
            mail.recipient,
            relative(mail.created_at, now),
            str(mail.attempts),
            relative(mail.done_at or mail.due_at, now),
            mail.last_error or "",
        )
        for mail in records
    ]
    return table(header, rows, numbers=("ID", "TRIES"))


def mail(record: Record, explanation: str, attempts: Sequence[Attempt], now: datetime) -> str:
    """Return all of one mail but its bytes."""
    facts = table(("", ""), list(_facts(record, now))).lstrip("\n")
    parts = [f"mail {record.id}: {record.state}", explanation, "", facts]
    if attempts:
        header = ("TRY FAILED AT", "MAILER", "STAGE", "SCOPE", "CODE", "MS", "REASON")
        rows = [
            (
                absolute(attempt.at),
                str(attempt.mailer),
                attempt.stage,
                attempt.scope,
                str(attempt.code or ""),
                str(attempt.milliseconds),
                attempt.reason,
            )
            for attempt in attempts
        ]
        parts += ["", table(header, rows, numbers=("MAILER", "CODE", "MS"))]
    return "\n".join(parts)


def suppressions(listed: Sequence[Suppression], now: datetime) -> str:
    """Return a line for each address that gets no more mail."""
    if not listed:
        return "every address gets mail"
    rows = [(one.address, one.scope, relative(one.since, now), one.reason) for one in listed]
    return table(("ADDRESS", "SCOPE", "SINCE", "REASON"), rows)


def outcome(verb: str, what: Outcome, unknown: Sequence[str]) -> str:
    """Return how many mails it was done to, what is to be known of them, and why not to the others."""
    number = len(what.done)
    lines = [f"{verb}: {number} mail{'' if number == 1 else 's'}"]
    lines += _some(verb, what.notes)
    lines += _some(f"not {verb}", what.refused)
    lines += [f"not {verb}: there is no mail {name}" for name in unknown]
    return "\n".join(lines)


def step(done: Step) -> str:
    """Return one step of a trial in a line, and what to do about it where it failed."""
    line = f"{'ok' if done.ok else 'FAILED':<6}  {done.stage:<15}  {done.milliseconds:>6} ms  {done.said}"
    return f"{line}\nTo do: {done.advice}" if done.advice else line


def _facts(record: Record, now: datetime) -> Iterator[Row]:
    """Yield what there is to know, name and value."""
    instants = {
        "queued": record.created_at,
        "first try": record.first_try_at,
        "due": record.due_at if record.state == "queued" else None,
        "expires": record.expires_at,
        "done": record.done_at,
    }
    yield "to", record.recipient
    yield "from", record.sender
    yield "subject", record.subject
    yield "kind", f"{record.kind}, priority {record.priority}"
    yield "message id", record.message_id
    for name, instant in instants.items():
        if instant:
            yield name, both(instant, now)
    yield "tries", f"{record.attempts} charged to it, {record.crashes} mailers died with it in hand"
    others = {
        "in hand of": record.lease_by and f"mailer {record.lease_by}",
        "last error": record.last_error,
        "reply": record.reply,
        "dedupe key": record.dedupe_key,
        "request": record.request_id,
        "if unsure": record.when_unsure,
        "content": None if record.has_content else "removed",
    }
    for name, value in others.items():
        if value:
            yield name, str(value)


def _some(verb: str, told: Mapping[int, str]) -> Iterator[str]:
    """Yield what is told of the first mails, and how many more there are."""
    yield from (f"{verb}: mail {number}: {what}" for number, what in islice(told.items(), NAMED))
    if len(told) > NAMED:
        yield f"{verb}: {len(told) - NAMED} more"


def _shortened(cell: str) -> str:
    return cell if len(cell) <= LONGEST_CELL else f"{cell[: LONGEST_CELL - 3]}..."
