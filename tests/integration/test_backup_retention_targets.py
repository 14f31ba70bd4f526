"""Retention at a target of its own pace: one to which nothing new gets through keeps what it has."""

import json
import os
from collections.abc import Iterator

import pytest

from tests.integration.backups import CATALOGUE, Backups, backups_of
from tests.integration.postgres import Database
from tests.integration.storage import Storage, storage, targets
from tests.integration.test_backup_taking import age

FILL = "head --bytes 100M /dev/zero >/vault/data/filler"


@pytest.fixture
def sftp(database: Database) -> Iterator[Storage]:
    with storage(database, "sftp", tmpfs="150m") as server:
        yield server


@pytest.fixture
def backups(database: Database, sftp: Storage) -> Iterator[Backups]:
    with backups_of(database, **targets(sftp)) as running:
        yield running


def test_a_target_that_is_full_for_long_keeps_the_newest_backup_that_it_has(
    backups: Backups, sftp: Storage
) -> None:
    last = backups.take()
    sftp.run("sh", "-c", FILL)
    codes = [backups.verb("take").code for _ in range(3)]
    age(backups, last)

    dry = json.loads(backups.verb("prune", "--dry-run", "--json").out)
    codes.append(backups.verb("take").code)

    assert codes == [os.EX_UNAVAILABLE] * 4
    assert dry["backups"] == []  # nowhere gone yet
    assert (len(dry["snapshots"]["local"]) > 0, dry["snapshots"]["sftp"]) == (True, [])
    assert where(backups, last) == ["sftp"]
    assert backups.verb("verify", last, "--target", "sftp").code == 0

    sftp.run("rm", "/vault/data/filler")
    backups.take()

    assert f"{last}.json" not in backups.known()


def where(backups: Backups, backup_id: str) -> list[str]:
    return list(json.loads(backups.run("cat", f"{CATALOGUE}/{backup_id}.json").out)["copies"])
