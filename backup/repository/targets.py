"""Where backups lie: each entry of BACKUP_TARGETS, as restic reaches it."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

LOCAL = "local"
KINDS = {
    "sftp": "sftp://USER@HOST:PORT/FOLDER",
    "rest": "rest:https://HOST:PORT/",
    "s3": "s3:https://HOST/BUCKET",
}
PORTS = {"sftp": 22, "rest": 443, "s3": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """One place for backups. `location` is restic's address of it, without any secret."""

    name: str
    kind: str  # local, sftp, rest, s3
    location: str
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    options: tuple[str, ...] = ()
    append_only: bool = False
    ca_file: Path | None = None
    ssh: tuple[str, ...] = ()  # options that ssh and sftp share

    @property
    def off_site(self) -> bool:
        """Return whether it outlives this machine."""
        return self.kind != LOCAL

    @property
    def url(self) -> SplitResult:
        """Return the address of a target elsewhere, taken apart."""
        return _url(self.kind, self.location)

    @property
    def port(self) -> int:
        """Return the port of a target elsewhere."""
        return self.url.port or PORTS[self.kind]


def parse(entries: str, folder: str) -> list[Target]:
    """Return the targets of BACKUP_TARGETS, in their order; a ValueError says what to write.

    A target is called by its kind; a second one of a kind gets a number.
    """
    found: list[Target] = []
    for entry in entries.replace(",", " ").split():
        kind = kind_of(entry)
        same = sum(target.kind == kind for target in found)
        name = kind if not same else f"{kind}-{same + 1}"
        location = f"{folder}/repository" if kind == LOCAL else entry
        if location in {target.location for target in found}:
            message = f"{entry} is there twice"
            raise ValueError(message)
        found.append(Target(name, kind, location))
    if not found:
        message = "no target; write local"
        raise ValueError(message)
    return found


def kind_of(entry: str) -> str:
    """Return local, sftp, rest or s3; a ValueError says what to write instead."""
    if entry == LOCAL:
        return LOCAL
    kind = entry.partition(":")[0]
    known = f"write {LOCAL}, {', '.join(KINDS.values())}"
    if kind not in KINDS:
        message = f"not a kind of target: {entry}; {known}"
        raise ValueError(message)
    url = _url(kind, entry)
    if url.password or (kind != "sftp" and url.username):
        message = f"the account of {kind} does not belong here; see BACKUP_{kind.upper()}_..."
        raise ValueError(message)
    if kind != "sftp" and url.scheme != "https":
        message = f"{kind} goes over https alone; {known}"
        raise ValueError(message)
    nowhere = not url.path.strip("/") and kind != "rest"  # a rest server may hold just one
    if not url.hostname or nowhere or (kind == "sftp" and not url.username):
        message = f"incomplete; write {KINDS[kind]}"
        raise ValueError(message)
    _ = url.port  # a ValueError where it is no number
    return kind


def _url(kind: str, entry: str) -> SplitResult:
    return urlsplit(entry if kind == "sftp" else entry.partition(":")[2])
