"""A restore to a random instant is rehearsed with the worker at work, and what is broken is found."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.backups import FOLDER, Backups, backups_of
from tests.integration.postgres import Database
from tests.waiting import eventually

OURS = "keelson_wal"


@pytest.fixture(scope="module")
def backups(database: Database) -> Iterator[Backups]:
    """A worker that has shipped what it takes to restore an instant, which takes it minutes."""
    with backups_of(database) as running:
        running.container.remove(force=True)
        running.start("python", "-m", "backup")
        try:
            eventually(lambda: points(running), 180, "an instant can be restored")
            yield running
        finally:
            running.container.stop(timeout=30)
            drop_slot(running)


def drop_slot(backups: Backups) -> None:
    """Let go the log that the database keeps for a worker that is gone."""
    free = f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{OURS}' AND active"
    eventually(lambda: backups.superuser(free).strip() == "0", 30, "the slot is free")
    slots = f"pg_replication_slots WHERE slot_name = '{OURS}'"
    backups.superuser(f"SELECT pg_drop_replication_slot(slot_name) FROM {slots}")


def points(backups: Backups) -> list[dict[str, str]]:
    """Return which instants can be restored, by target."""
    found: list[dict[str, str]] = json.loads(backups.verb("points", "--json").out)["targets"]
    return found


def drill(backups: Backups) -> tuple[int, dict[str, dict[str, Any]]]:
    """Rehearse; return the exit code, and what came of it by kind."""
    answer = backups.verb("drill", "--json")
    assert answer.out, answer
    return answer.code, {made["kind"]: made for made in json.loads(answer.out)}


def test_a_random_instant_is_restored_checked_and_read(
    backups: Backups, database: Database
) -> None:
    code, made = drill(backups)

    assert (code, made["instant"]["passed"], made["read"]["passed"]) == (0, True, True), made
    instant, _, detail = made["instant"]["detail"].partition(": ")
    (target,) = points(backups)
    assert target["from"] <= datetime.fromisoformat(instant).isoformat() <= target["until"]
    assert detail.startswith("restored, checked and read, ")
    with database.engine("web").connect() as connection:
        kinds = list(connection.scalars(text("SELECT kind FROM backup_drills WHERE passed")))
    assert sorted(kinds) == ["instant", "read"]


def test_a_base_that_is_damaged_is_found_last_as_it_stays_so(backups: Backups) -> None:
    damage = "chmod u+w $f; printf XXXX | dd of=$f bs=1 seek=4000 conv=notrunc"
    flip = f"for f in {FOLDER}/repository/data/*/*; do {damage}; done"
    assert backups.run("sh", "-c", flip).code == 0

    code, made = drill(backups)

    assert code == 65
    assert made["instant"]["passed"] is False
    assert "restore" in made["instant"]["detail"]
