"""What the worker sees of its backups, written where people and programs find it."""

import json
from typing import Any

from sqlalchemy import text

from tests.integration.backups import FOLDER, Backups
from tests.integration.postgres import Database


def rows(database: Database, table: str) -> list[dict[str, Any]]:
    with database.engine("web").connect() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]


def restart(backups: Backups, **environment: str) -> None:
    backups.container.remove(force=True)
    backups.start(BACKUP_POINT_IN_TIME="false", **environment)


def told(backups: Backups) -> dict[str, Any]:
    answer = backups.verb("status", "--json")
    document: dict[str, Any] = json.loads(answer.out)
    assert answer.code == (0 if document["well"] else 1)
    return document


def test_what_targets_take_is_in_the_database_and_beside_the_backups(
    database: Database, backups: Backups
) -> None:
    restart(backups, BACKUP_STORAGE_LIMIT_GB="5")
    backups.take()

    assert backups.verb("watch").out == "all is well\n"

    (target,) = rows(database, "backup_targets")
    (size,) = rows(database, "backup_sizes")
    assert (target["name"], target["off_site"], target["trouble"]) == ("local", False, None)
    assert target["bytes"] == size["bytes"] > 10_000
    assert target["bytes_limit"] == 5_000_000_000
    (seen,) = told(backups)["targets"]
    assert seen["bytes"] == size["bytes"]


def test_status_is_well_once_a_backup_is_proven(backups: Backups) -> None:
    restart(backups)
    before = told(backups)
    taken = backups.take()

    after = told(backups)

    assert (before["well"], before["last_proven"]) == (False, None)
    assert (after["well"], after["wrong"]) == (True, {})
    assert after["last_proven"]["id"] == taken
    assert 0 < after["last_proven"]["age_seconds"] < 100
    assert f"last proven  {taken}" in backups.verb("status").out


def test_a_target_that_is_away_is_wrong_and_hides_no_other(
    database: Database, backups: Backups
) -> None:
    restart(backups)
    backups.take()
    restart(
        backups,
        BACKUP_TARGETS="local, rest:https://nowhere.invalid:8000/",
        BACKUP_REST_USERNAME="keelson",
        BACKUP_REST_PASSWORD="secret",
    )

    backups.verb("watch")

    found = {row["name"]: row for row in rows(database, "backup_targets")}
    assert found["rest"]["trouble"]
    assert found["local"]["trouble"] is None
    assert found["local"]["bytes"]
    assert list(told(backups)["wrong"]) == ["target-rest"]
    restart(backups)
    backups.verb("watch")
    assert told(backups)["wrong"] == {}  # it is in use no more


def test_a_failed_run_is_an_alert_until_a_good_one(database: Database, backups: Backups) -> None:
    restart(backups, BACKUP_ALERT_TO="ada@example.org")
    with database.engine("owner").begin() as connection:
        number = connection.scalars(text("SELECT lo_from_bytea(0, 'no grant covers this')")).one()
    assert backups.verb("take").code == 1
    assert "backup-failed" in told(backups)["wrong"]
    with database.engine("owner").begin() as connection:
        connection.execute(text("SELECT lo_unlink(:number)"), {"number": number})

    backups.take()

    assert told(backups)["wrong"] == {}
    subjects = [row["subject"] for row in rows_of_outbox(database)]
    assert subjects == ["Backup: backup-failed", "Backup: backup-failed is well again"]


def rows_of_outbox(database: Database) -> list[dict[str, Any]]:
    with database.engine("owner").connect() as connection:
        found = connection.execute(text("SELECT subject FROM outbox ORDER BY id"))
        return [dict(row) for row in found.mappings()]


def test_status_is_known_without_the_database(database: Database, backups: Backups) -> None:
    restart(backups)
    taken = backups.take()
    backups.verb("watch")

    database.stop()
    try:
        document = told(backups)
    finally:
        database.start()

    assert document["last_proven"]["id"] == taken
    assert document["targets"][0]["bytes"]


def test_a_drill_reads_a_part_and_finds_what_was_damaged(
    database: Database, backups: Backups
) -> None:
    restart(backups)
    backups.take()
    good = backups.verb("drill", "--json")
    damage = "chmod u+w $f; printf X | dd of=$f bs=1 seek=40 conv=notrunc"
    flip = f"for f in {FOLDER}/repository/data/*/*; do {damage}; done"
    assert backups.run("sh", "-c", flip).code == 0

    codes = {backups.verb("drill").code for _ in range(7)}

    assert good.code == 0
    assert json.loads(good.out)[0]["detail"] == "part 1 of 7 was read, and is as it was written"
    assert 65 in codes
    assert "drill-failed" in told(backups)["wrong"]
    passed = [row["passed"] for row in rows(database, "backup_drills")]
    assert True in passed
    assert False in passed
