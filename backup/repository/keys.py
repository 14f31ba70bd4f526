"""The keys that open a repository: the worker's own, and at most one that the recovery kit holds."""

import json
import tempfile
from dataclasses import dataclass

from backup.repository.restic import HOST, Repository

KIT = "recovery-kit"  # the user that restic notes beside a key


@dataclass(frozen=True, slots=True)
class Key:
    """A key as restic lists it; its password is nowhere."""

    id: str
    user: str
    current: bool


def all_of(repository: Repository) -> list[Key]:
    """Return the keys that open the repository."""
    answer = repository.program.run(["key", "list", "--json", "--no-lock"]).out
    return [
        Key(found["id"], found["userName"], bool(found["current"])) for found in json.loads(answer)
    ]


def add_for_kit(repository: Repository, password: str) -> str:
    """Make another key, of the recovery kit; return its id. Those of earlier kits still open it."""
    before = {key.id for key in all_of(repository)}
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as secret:  # mode 0600
        secret.write(password)
        secret.flush()
        named = ["--user", KIT, "--host", HOST]
        repository.program.run(["key", "add", f"--new-password-file={secret.name}", *named])
    return next(key.id for key in all_of(repository) if key.id not in before)


def retire(repository: Repository, keep: str) -> int:
    """Remove the keys of all other kits; return how many. Only for who has the repository alone."""
    keys = all_of(repository)
    if keep not in {key.id for key in keys}:
        return 0
    others = [k for k in keys if k.user == KIT and k.id != keep and not k.current]
    for key in others:
        repository.program.run(["key", "remove", key.id])
    return len(others)
