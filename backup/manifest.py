"""What is known of one backup, beside its dump: without a manifest a dump is not a backup."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from backup.errors import DamagedError
from backup.files import complete_or_absent

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


class Manifest(Record):
    """A proven backup: it exists only after the dump was restored and found equal."""

    id: str = Field(pattern=ID_PATTERN)
    state: Literal["proven"] = "proven"
    started_at: AwareDatetime
    finished_at: AwareDatetime
    bytes: int
    sha256: str
    origin: Origin
    fingerprint: Fingerprint

    @property
    def rows(self) -> int:
        """Return how many rows all tables have together."""
        return sum(table.rows for table in self.fingerprint.tables.values())

    def write(self, path: Path) -> None:
        """Write it, complete or not at all: from then on the backup counts."""
        with complete_or_absent(path) as out:
            out.write(self.model_dump_json(indent=1).encode())

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read it back, or raise a DamagedError."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            message = (
                f"the manifest {path} is damaged: {error.errors()[0]['msg']}; use another backup"
            )
            raise DamagedError(message) from error


def id_of(started_at: datetime) -> str:
    """Return the name of the backup that began then (UTC): sorted by name is sorted by time."""
    return started_at.strftime(ID_FORMAT)
