"""A target that we may only add to: what should go from there is known until somebody who may delete comes by."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from backup.catalogue import owed
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Copy
from backup.catalogue.retention import Rules
from backup.repository.answers import Snapshot
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.taking import pruning
from backup.taking.copying import Copier
from backup.taking.pruning import Pruner
from tests.backup_manifests import NOON, a_manifest

LATER = NOON + timedelta(days=400)


class FakeRepository(Repository):
    """A server with these snapshots, that deletes where we may."""

    def __init__(self, has: list[str], *, append_only: bool) -> None:
        super().__init__(
            Target("rest", "rest", "rest:https://h/", append_only=append_only), "", None
        )
        self.has = has

    def snapshots(self, *_: str) -> list[Snapshot]:
        """Return them."""
        return [Snapshot(one, NOON, (), ()) for one in self.has]

    def forget(self, snapshots: Sequence[str]) -> None:
        """Delete them."""
        self.has = [one for one in self.has if one not in snapshots]

    def prune(self) -> None:
        """Do nothing."""


def prune(folder: Folder, repository: FakeRepository) -> None:
    pruner = Pruner(folder, Copier(folder, [repository]), Rules(7, 0, 0))
    pruner.carry_out(pruner.plan([repository], LATER), [repository])


def test_what_has_to_go_from_an_append_only_target_goes_once_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "alone", lambda _folder, _repository: nullcontext())
    folder, days = Folder(tmp_path), range(6)
    for day in days:
        copies = {"rest": Copy(snapshot=f"s{day}", stored_at=NOON)}
        folder.save(a_manifest(NOON + timedelta(days=day)).model_copy(update={"copies": copies}))
    every = [f"s{day}" for day in days]

    server = FakeRepository(every, append_only=True)
    prune(folder, server)
    gone = owed.at(folder, "rest")
    assert server.has == every
    assert gone
    assert "s5" not in gone  # the newest stays, and so does its manifest

    server = FakeRepository(every, append_only=False)
    prune(folder, server)
    assert server.has == [one for one in every if one not in gone]
    assert owed.at(folder, "rest") == []
