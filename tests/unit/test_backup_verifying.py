"""What is made of a backup that turns out damaged when it is verified."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backup.catalogue import owed
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Copy
from backup.errors import DamagedError
from backup.operator import verifying
from backup.repository.errors import RepositoryDamagedError
from backup.taking import proof
from backup.watching import channels
from backup.watching.alerts import Alerts
from tests.backup_manifests import NOON, a_manifest, some_settings
from tests.backup_taking import FakeRepository

Verify = Callable[[DamagedError, str], None]


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Verify what sftp has, of the targets that are named; that ends with this error."""

    def verified(error: DamagedError, targets: str) -> None:
        @contextmanager
        def opened(_settings: object) -> Iterator[list[FakeRepository]]:
            yield [FakeRepository(tmp_path, name) for name in targets.split()]

        def prove(*_: object) -> None:
            raise error

        monkeypatch.setattr(verifying, "opened", opened)
        monkeypatch.setattr(proof, "prove", prove)
        monkeypatch.setattr(channels, "of", lambda *_: [])
        asked = Namespace(id=None, target="sftp", json=False)
        with pytest.raises(type(error)) as raised:
            verifying.verify(asked, some_settings(backup_folder=str(tmp_path)))
        (told,) = Alerts(Folder(tmp_path), [], lambda: NOON).open()
        assert (told.name, told.reason) == ("backup-failed", str(raised.value))

    return verified


def at(tmp_path: Path, *targets: str) -> Folder:
    """Return a volume with a proven backup that is at these targets."""
    folder = Folder(tmp_path)
    copies = {name: Copy(snapshot=f"at-{name}", stored_at=NOON) for name in targets}
    folder.save(a_manifest().model_copy(update={"copies": copies}))
    return folder


def test_what_is_not_what_was_dumped_is_told_and_proven_no_more(
    tmp_path: Path, verify: Verify
) -> None:
    folder = at(tmp_path, "sftp", "rest")

    verify(DamagedError("3 rows, not 4"), "sftp rest")

    (left,) = folder.stored()
    assert (left.state, list(left.copies)) == ("stored", ["sftp", "rest"])


def test_a_damaged_copy_counts_no_more_and_is_to_go(tmp_path: Path, verify: Verify) -> None:
    folder = at(tmp_path, "sftp", "rest")

    verify(RepositoryDamagedError("a lost pack"), "sftp rest")

    (left,) = folder.stored()
    assert (left.state, list(left.copies)) == ("proven", ["rest"])
    assert owed.at(folder, "sftp") == ["at-sftp"]
    (told,) = Alerts(folder, [], lambda: NOON).open()
    assert f"this copy of the backup {left.id} counts no more, it is at rest" in told.reason


@pytest.mark.parametrize(
    ("has", "in_use"),
    [
        pytest.param(["sftp"], "sftp rest", id="the only one"),
        pytest.param(["sftp", "gone"], "sftp rest", id="the other target is in use no more"),
    ],
)
def test_a_damaged_copy_that_is_the_last_one_is_not_given_up(
    tmp_path: Path, verify: Verify, has: list[str], in_use: str
) -> None:
    folder = at(tmp_path, *has)

    verify(RepositoryDamagedError("a lost pack"), in_use)

    (left,) = folder.stored()
    assert (left.state, list(left.copies)) == ("proven", has)
    assert owed.at(folder, "sftp") == []
    (told,) = Alerts(folder, [], lambda: NOON).open()
    assert "no other target has the backup" in told.reason
