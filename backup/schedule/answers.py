"""The command that a job means, and the answer that its output is. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.jobs import Job

# What a job may ask for: its arguments as options, and those that follow the verb.
OPTIONS: dict[str, tuple[str, ...]] = {"verify": ("target",), "prune": ("dry_run",)}
PLACED: dict[str, tuple[str, ...]] = {"verify": ("id",), "schema-diff": ("one", "other")}
VERBS = {
    *("take", "verify", "copy", "prune", "drill", "watch", "base"),
    *("schema-log", "schema-diff"),
}


class UnknownJobError(Exception):
    """A job asks for what there is not; the message says what that is."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a command came to."""

    code: int
    out: str
    errors: str


def command(job: Job) -> list[str]:
    """Return the arguments of `python -m backup`; nothing that a job holds is taken for an option."""
    if job.verb not in VERBS:
        message = f"backup knows no {job.verb}"
        raise UnknownJobError(message)
    options, placed = OPTIONS.get(job.verb, ()), PLACED.get(job.verb, ())
    given = {name: value for name, value in job.arguments.items() if value}
    unknown = given.keys() - {*options, *placed}
    if unknown:
        message = f"{job.verb} takes no {', '.join(sorted(unknown))}"
        raise UnknownJobError(message)
    line = [job.verb, "--json", f"--job={job.id}"]
    line += [option(name, given[name]) for name in options if name in given]
    following = [str(given[name]) for name in placed if name in given]
    return [*line, "--", *following] if following else line


def option(name: str, value: Any) -> str:
    """Return one option; of a switch its name alone."""
    word = f"--{name.replace('_', '-')}"
    return word if value is True else f"{word}={value}"


def answer_of(verb: str, output: Output) -> tuple[Any, bool]:
    """Return the answer, a JSON document, and whether it was done; a failure has an error and a code."""
    document = document_of(output.out)
    if output.code == 0 and document is not None:
        return document, True
    if isinstance(document, Mapping) and "error" in document:
        return document, False
    reason = reason_of(document) or last_line(output.errors) or f"{verb} has ended without a word"
    return {"error": reason, "code": output.code, "answer": document}, False


def document_of(out: str) -> Any:
    """Return the JSON that was printed; None where it is none. PostgreSQL's has no NUL."""
    try:
        return json.loads(out.replace("\\u0000", ""))
    except ValueError:
        return None


def reason_of(document: Any) -> str:
    """Return what a verb says of targets that were left out, or of drills that did not pass."""
    if isinstance(document, Mapping):
        return "; ".join(str(reason) for reason in dict(document.get("troubles", {})).values())
    if isinstance(document, list):
        return "; ".join(str(one["detail"]) for one in document if one.get("passed") is False)
    return ""


def last_line(errors: str) -> str:
    """Return the last thing that was said."""
    lines = errors.strip().splitlines()
    return lines[-1] if lines else ""
