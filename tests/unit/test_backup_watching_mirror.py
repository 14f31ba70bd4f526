"""The rows for people are written where they differ, and nowhere else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event

from backup.watching import mirror
from backup.watching.drills import Drill
from backup.watching.mirror import Changes
from backup.watching.targets import Seen
from common import schema

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
A, B = {"target": "a", "day": 1, "bytes": 5}, {"target": "b", "day": 1, "bytes": 5}
MORE = {**A, "bytes": 6}


@pytest.mark.parametrize(
    ("there", "wanted", "expected"),
    [
        pytest.param([A, B], [B, A], Changes([], [], []), id="nothing is new"),
        pytest.param([], [A], Changes([], [], [A]), id="a new one"),
        pytest.param([A, B], [B], Changes([A], [], []), id="one is gone"),
        pytest.param([A, B], [MORE, B], Changes([], [MORE], []), id="one differs"),
    ],
)
def test_only_rows_that_differ_are_written(
    there: list[mirror.Row], wanted: list[mirror.Row], expected: Changes
) -> None:
    assert mirror.changes(there, wanted, ["target", "day"]) == expected


class Session:
    """A connection that keeps what was asked of it, and what of that has written rows."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.written: list[str] = []
        event.listen(connection, "after_cursor_execute", self._keep)

    def _keep(self, _: object, cursor: Any, statement: str, *_more: object) -> None:
        verb = statement.split(maxsplit=1)[0]
        if verb != "SELECT" and cursor.rowcount:
            self.written.append(verb)


@pytest.fixture
def session() -> Iterator[Session]:
    with create_engine("sqlite://").connect() as connection:
        schema.backup_targets.create(connection)
        schema.backup_sizes.create(connection)
        schema.backup_drills.create(connection)
        yield Session(connection)


def a_drill(name: str) -> Drill:
    times = {"started_at": NOON, "finished_at": NOON, "passed": True, "detail": ""}
    return Drill.model_validate({"id": name, "kind": "read", "target": "local", **times})


def test_an_instant_that_is_known_is_not_written_again(session: Session) -> None:
    seen = Seen(name="local", location="/x", off_site=False, seen_at=NOON)
    mirror.write(session.connection, [seen], None, {}, [a_drill("1")])
    session.written.clear()

    for until in (NOON, NOON, NOON + HOUR):
        mirror.note_recoverable(session.connection, {"local": (NOON, until)})

    assert session.written == ["UPDATE"] * 2


def test_a_drill_of_long_ago_is_not_written_again(session: Session) -> None:
    mirror.write(session.connection, [], None, {}, [a_drill("1")])
    session.written.clear()

    mirror.write(session.connection, [], None, {}, [a_drill("1"), a_drill("2")])

    assert session.written.count("INSERT") == 1
    assert "DELETE" not in session.written
