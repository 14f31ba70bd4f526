"""What the history tells: when the schema changed, and how it differs between two moments."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backup.catalogue.manifest import ID_PATTERN
from backup.errors import BackupError
from backup.history import commits
from backup.history.content import SCHEMA, path_of
from backup.history.git import Git

FIELD = "\x1f"
COMMIT = re.compile(r"[0-9a-f]{4,40}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Change:
    """A commit in which the schema changed."""

    commit: str
    at: str
    message: str


def changes(git: Git) -> list[Change]:
    """Return each change of the schema, newest first."""
    if commits.head(git) is None:
        return []
    told = git.run("log", f"--format=%H{FIELD}%cI{FIELD}%s", commits.BRANCH, "--", SCHEMA).decode()
    return [Change(*line.split(FIELD)) for line in told.splitlines()]


def difference(git: Git, one: str, other: str | None) -> str:
    """Return how the schema differs, as a patch; empty where it is the same. No other is the newest."""
    names = [find(git, one), find(git, other) if other else find(git, "HEAD")]
    return git.run(
        "diff", "--no-color", "--no-ext-diff", "--no-textconv", *names, "--", SCHEMA
    ).decode()


def find(git: Git, name: str) -> str:
    """Return the commit that a backup's id, an instant, a day (its end) or a commit means."""
    found = None
    if name == "HEAD":
        found = commits.head(git)
    elif re.fullmatch(ID_PATTERN, name):
        found = git.line("log", "--format=%H", "-1", commits.BRANCH, "--", path_of(name))
    elif COMMIT.fullmatch(name):
        found = commits.resolved(git, name)
    elif instant := _instant(name):
        before = f"--before={int(instant.timestamp())}"
        found = git.line("rev-list", "-1", before, commits.BRANCH)
    if not found:
        message = (
            f"the history has nothing for {name}; name a backup's id (make backups), a day or an instant"
            " in UTC (2026-11-22, 2026-11-22T14:03:00Z), or a commit (make schema-log)"
        )
        raise BackupError(message)
    return found


def _instant(name: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(name)
    except ValueError:
        return None
    if DAY.fullmatch(name):
        instant += timedelta(days=1, seconds=-1)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
