"""A target that is damaged, or that holds something else than was dumped: what is kept, and where to it goes next."""

from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backup.catalogue import owed
from backup.catalogue.begun import Begun
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Copy, Manifest
from backup.catalogue.retention import Rules
from backup.errors import DamagedError
from backup.repository.answers import Saved
from backup.repository.errors import RepositoryDamagedError
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.taking import damage, proof, run
from backup.taking.copying import Copier
from backup.taking.dumping import Dumped
from backup.taking.pruning import Pruner
from backup.taking.run import Run
from tests.backup_manifests import NOON, a_manifest
from tests.backup_taking import FakeRepository


class ReadyCopier(Copier):
    """Every target can be used."""

    def usable(self, *, also_full: bool = False) -> list[Repository]:  # noqa: ARG002 none is full
        """Return all of them."""
        return list(self.repositories)


class FakeDumper:
    """Dumps to the first target that it is given."""

    def dump(self, _connection: object, usable: Sequence[Repository], _tags: object) -> Dumped:
        """Store nothing."""
        made = a_manifest()
        saved = Saved("5nap5h0t", 1000, 100, 100, 1.0)
        return Dumped(usable[0], saved, made.origin, "", made.fingerprint, {}, {})


class FakeReporter:
    """Keeps the ids of runs that have failed."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def begin(self, _id: str, _at: datetime) -> None:
        """Do nothing."""

    def keep(self, _manifest: Manifest) -> None:
        """Do nothing."""

    @contextmanager
    def failures(self, backup_id: str) -> Any:
        """Take note of the id where the block fails."""
        try:
            yield
        except Exception:
            self.failed.append(backup_id)
            raise


def a_run(folder: Folder, *names: str) -> Run:
    minutes = iter(range(1000))
    targets = [Target(name, "local", f"{folder.path}/{name}") for name in names]
    return Run(
        folder=folder,
        copier=ReadyCopier(folder, [Repository(target, "key", None) for target in targets]),
        dumper=FakeDumper(),  # type: ignore[arg-type]
        reporter=FakeReporter(),  # type: ignore[arg-type]
        record=lambda _schema, _manifest: None,
        clock=lambda: NOON + timedelta(minutes=next(minutes)),
    )


def at(*names: str, state: Any = "stored") -> Manifest:
    copies = {name: Copy(snapshot=f"at-{name}", stored_at=NOON) for name in names}
    return a_manifest(state=state).model_copy(update={"copies": copies})


Harm = Callable[[str, Exception], None]


@pytest.fixture
def harm(monkeypatch: pytest.MonkeyPatch) -> Harm:
    """Have the proof from a target fail; from all others it is well."""
    harmed: dict[str, Exception] = {}

    def prove(manifest: Manifest, repository: Repository, _folder: Folder) -> Any:
        if repository.target.name in harmed:
            raise harmed[repository.target.name]
        return manifest.fingerprint, {}

    monkeypatch.setattr(proof, "prove", prove)
    monkeypatch.setattr(run, "alone", lambda _folder, _repository: nullcontext())
    return harmed.__setitem__


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_damaged_copy_is_dropped_and_the_next_target_proves_it(
    folder: Folder, harm: Harm
) -> None:
    folder.save(at("local", "sftp"))
    harm("local", RepositoryDamagedError("a pack is damaged"))
    running = a_run(folder, "local", "sftp")

    running.prove(at("local", "sftp"))

    (kept,) = folder.stored()
    assert (kept.state, list(kept.copies)) == ("proven", ["sftp"])
    assert running.copier.troubles == {"local": "a pack is damaged"}
    assert owed.at(folder, "local") == ["at-local"]


def test_a_dump_to_a_damaged_target_is_made_again_to_the_next(folder: Folder, harm: Harm) -> None:
    harm("local", RepositoryDamagedError("a pack is damaged"))
    running = a_run(folder, "local", "sftp")

    made = running.take(None)  # type: ignore[arg-type]

    assert (made.state, list(made.copies)) == ("proven", ["sftp"])
    assert folder.stored() == [made]
    (first,) = running.reporter.failed  # type: ignore[attr-defined]
    assert Begun(folder).all() == [first]  # what it has stored is let go by the next clean-up


def test_with_no_other_target_the_damage_is_told(folder: Folder, harm: Harm) -> None:
    harm("local", RepositoryDamagedError("a pack is damaged"))

    with pytest.raises(RepositoryDamagedError, match="a pack is damaged"):
        a_run(folder, "local").take(None)  # type: ignore[arg-type]


def test_what_is_not_what_was_dumped_is_forgotten_everywhere(
    folder: Folder, harm: Harm, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(Repository, "snapshots", lambda *_: [])
    monkeypatch.setattr(
        run.Run, "_forget", lambda _self, backup_id, _usable: forgotten.append(backup_id)
    )
    folder.save(at("local", "sftp"))
    harm("local", DamagedError("3 rows are missing"))

    with pytest.raises(DamagedError, match="3 rows"):
        a_run(folder, "local", "sftp").prove(at("local", "sftp"))

    assert folder.stored() == []
    assert forgotten == [at().id]


class Copied(FakeRepository):
    """Leaves out of a copy what it has already, as restic does, whatever state that is in."""

    def copy_from(self, _source: Repository, snapshots: Sequence[str]) -> None:
        """Have it, with the tags that it has there."""
        if not any("repaired" not in one.tags for one in self.there):
            self.has(f"copy of {snapshots[0]}", "logical", f"run:{at().id}")


def test_a_damaged_copy_is_made_anew_once_it_is_gone(folder: Folder) -> None:
    local, sftp = FakeRepository(folder.path, "local"), Copied(folder.path)
    sftp.has("at-sftp", "logical", f"run:{at().id}")
    damage.drop(folder, at("local", "sftp", state="proven"), "sftp")

    def copied() -> list[str]:
        copier = Copier(folder, [local, sftp])
        copier.copy([local, sftp], NOON)
        pruner = Pruner(folder, copier, Rules(7))
        pruner.carry_out(pruner.plan([local, sftp], NOON), [local, sftp])
        (kept,) = folder.stored()
        return [copy.snapshot for copy in kept.copies.values()]

    assert copied() == ["at-local"]
    assert sftp.forgotten == ["at-sftp"]
    assert copied() == ["at-local", "copy of at-local"]


def test_what_a_repair_has_left_of_a_backup_is_no_copy(folder: Folder) -> None:
    local, sftp = FakeRepository(folder.path, "local"), Copied(folder.path)
    sftp.has("rest of it", "logical", f"run:{at().id}", "repaired")
    folder.save(at("local", state="proven"))

    Copier(folder, [local, sftp]).copy([local, sftp], NOON)

    (kept,) = folder.stored()
    assert kept.copies["sftp"].snapshot == "copy of at-local"
