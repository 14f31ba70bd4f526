"""A target that begins anew, or that is at another address: what it lacks is copied there again."""

from pathlib import Path

import pytest

from backup.catalogue import manifest
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Copy
from backup.repository.answers import Snapshot
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.stream import points
from backup.stream.points import Mark, Shipped
from backup.taking import copying
from backup.taking.copying import Copier
from tests.backup_manifests import NOON, a_manifest


class FakeRepository(Repository):
    """A target with these snapshots; without any it is one that has to be made."""

    def __init__(self, name: str, location: str, *has: str, own: str | None = None) -> None:
        super().__init__(Target(name, name, location), "key", None)
        self.has = has
        self.id = own
        self.listed = 0

    def snapshots(self, *_: str) -> list[Snapshot]:
        """Return them."""
        self.listed += 1
        return [Snapshot(one, NOON, (), ()) for one in self.has]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Have a backup of which two targets have a copy, and log at one."""
    monkeypatch.setattr(copying, "ready", lambda repository, _like: not repository.has)
    made = Folder(tmp_path)
    copies = {name: Copy(snapshot=f"at-{name}", stored_at=NOON) for name in ("local", "sftp")}
    made.save(a_manifest().model_copy(update={"copies": copies}))
    mark = Mark(stretch="s", system_id="1", first=1, until=NOON, snapshot="log")
    made.points.mkdir()
    manifest.write(Shipped(target="sftp", marks=[mark]), made.points / "sftp.json")
    return made


def use(folder: Folder, sftp: FakeRepository) -> list[str]:
    """Use both targets; return which copies are then missing."""
    copier = Copier(folder, [FakeRepository("local", "/repository", "at-local"), sftp])
    copier.usable()
    return [repository.target.name for _, repository in copier.missing()]


def test_a_target_that_is_used_as_before_lacks_nothing(folder: Folder) -> None:
    sftp = FakeRepository("sftp", "sftp://a@old/f", "at-sftp", "log")

    assert use(folder, sftp) == use(folder, sftp) == []
    assert points.needed_snapshots(folder, "sftp") == {"log"}


def test_a_repository_that_was_made_anew_is_copied_to_again(folder: Folder) -> None:
    use(folder, FakeRepository("sftp", "sftp://a@old/f", "at-sftp"))

    assert use(folder, FakeRepository("sftp", "sftp://a@old/f")) == ["sftp"]
    assert points.needed_snapshots(folder, "sftp") == set()


def test_another_address_does_not_inherit_what_lies_at_the_old_one(folder: Folder) -> None:
    use(folder, FakeRepository("sftp", "sftp://a@old/f", "at-sftp"))

    assert use(folder, FakeRepository("sftp", "sftp://a@new/f", "of another stack")) == ["sftp"]


def test_what_has_moved_with_its_repository_is_still_there(folder: Folder) -> None:
    use(folder, FakeRepository("sftp", "sftp://a@old/f", "at-sftp", "log"))

    assert use(folder, FakeRepository("sftp", "sftp://a@new/f", "at-sftp", "log")) == []
    assert points.needed_snapshots(folder, "sftp") == {"log"}


def test_another_repository_at_the_same_address_does_not_inherit_what_the_old_one_had(
    folder: Folder,
) -> None:
    use(folder, FakeRepository("sftp", "sftp://a@h/f", "at-sftp", own="one"))

    assert use(folder, FakeRepository("sftp", "sftp://a@h/f", "other", own="two")) == ["sftp"]
    assert points.needed_snapshots(folder, "sftp") == set()


def test_a_repository_that_is_the_same_is_asked_for_nothing_more(folder: Folder) -> None:
    use(folder, FakeRepository("sftp", "sftp://a@h/f", "at-sftp", own="one"))
    same = FakeRepository("sftp", "sftp://a@h/f", "at-sftp", own="one")

    assert use(folder, same) == []
    assert same.listed == 0


def test_the_id_of_a_repository_that_was_made_anew_is_learnt_with_its_next_use(
    folder: Folder,
) -> None:
    use(folder, FakeRepository("sftp", "sftp://a@h/f", "at-sftp", own="one"))
    use(folder, FakeRepository("sftp", "sftp://a@h/f"))  # made
    use(folder, learnt := FakeRepository("sftp", "sftp://a@h/f", "new", own="two"))

    (lacking,) = folder.stored()
    copies = {**lacking.copies, "sftp": Copy(snapshot="new", stored_at=NOON)}
    folder.save(lacking.model_copy(update={"copies": copies}))

    assert learnt.listed == 0
    assert use(folder, FakeRepository("sftp", "sftp://a@h/f", "other", own="two")) == []
    assert use(folder, FakeRepository("sftp", "sftp://a@h/f", "other", own="three")) == ["sftp"]


def test_the_last_copy_that_is_known_of_is_not_given_up(folder: Folder) -> None:
    use(folder, FakeRepository("sftp", "sftp://a@old/f"))
    Copier(folder, [FakeRepository("local", "/repository")]).usable()

    assert [list(one.copies) for one in folder.stored()] == [["local"]]
