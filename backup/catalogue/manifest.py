"""What is known of one backup, apart from its content: without a manifest a snapshot is not a backup."""

from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from backup.catalogue.files import complete_or_absent
from backup.errors import DamagedError

Kind = TypeVar("Kind", bound="Record")
ID_FORMAT = "%Y%m%d-%H%M%S"
ID_PATTERN = r"^\d{8}-\d{6}$"


class Record(BaseModel):
    """Data that never changes, and is refused when it is not what it should be."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Table(Record):
    """A table's content: how many rows, and the sum of their hashes (beyond any integer's size)."""

    rows: int
    hashes: str


class Fingerprint(Record):
    """A whole database's content: equal fingerprints, equal content."""

    tables: dict[str, Table]
    sequences: dict[str, int]
    schema_sha256: str = ""  # of everything else: definitions, constraints, owners, grants


class Grant(Record):
    """One privilege on the database itself, which a dump leaves out. No role means everybody."""

    role: str | None
    privilege: Literal["CONNECT", "CREATE", "TEMPORARY"]


class Origin(Record):
    """What has to exist around the database for its dump to be restored."""

    database: str
    server_version: str
    roles: list[str]
    grants: list[Grant]


class Copy(Record):
    """A backup at one target: the repository's own name for it, and since when it is there."""

    snapshot: str
    stored_at: AwareDatetime


class Manifest(Record):
    """A logical backup that is stored: proven once it was restored from there and found equal."""

    id: str = Field(pattern=ID_PATTERN)
    state: Literal["stored", "proven"]
    started_at: AwareDatetime
    finished_at: AwareDatetime
    verified_at: AwareDatetime | None = None
    bytes: int  # of the dump
    bytes_stored: int  # that the first repository grew by
    steps: dict[str, float]  # seconds of each
    copies: dict[str, Copy]  # by target
    origin: Origin
    fingerprint: Fingerprint  # of the snapshot; once proven, as restored
    later_sequences: dict[str, int] = {}  # where they were once the dump was written; until proven

    @property
    def rows(self) -> int:
        """Return how many rows all tables have together."""
        return sum(table.rows for table in self.fingerprint.tables.values())


class Base(Record):
    """A base backup that is stored: the cluster's files, from which recovery begins.

    Any instant from `consistent_at` on can be reached, as long as the log from `first_segment` on is there.
    """

    id: str = Field(pattern=ID_PATTERN)
    started_at: AwareDatetime
    consistent_at: AwareDatetime  # by the database's clock, once the backup had ended
    system_id: str  # of the cluster: another one has another log
    stretch: str  # the unbroken piece of the received log that goes on from it
    first_segment: str
    bytes: int
    bytes_stored: int
    steps: dict[str, float]
    copies: dict[str, Copy]


class Use(Record):
    """Since when the volume is used."""

    since: AwareDatetime


def write(record: Record, path: Path) -> None:
    """Write it, complete or not at all: from then on it counts."""
    with complete_or_absent(path) as out:
        out.write(record.model_dump_json(indent=1).encode())


def read(kind: type[Kind], path: Path) -> Kind:
    """Read it back, or raise a DamagedError."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        message = f"the manifest {path} is damaged: {error.errors()[0]['msg']}; use another backup"
        raise DamagedError(message) from error


def id_of(started_at: datetime) -> str:
    """Return the name of the backup that began then (UTC): sorted by name is sorted by time."""
    return started_at.strftime(ID_FORMAT)
