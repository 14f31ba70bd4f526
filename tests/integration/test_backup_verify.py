"""A damaged backup is never called good, and never restored."""

import json
from collections.abc import Iterator

import pytest

from tests.integration.backups import FOLDER, Backups, backups_of
from tests.integration.postgres import Database


@pytest.fixture
def backups(database: Database) -> Iterator[Backups]:
    with backups_of(database) as running:
        yield running


def test_the_newest_or_a_named_backup_is_verified(backups: Backups) -> None:
    first, second = backups.take(), backups.take()

    newest, named = backups.verb("verify"), backups.verb("verify", first)

    assert (newest.code, named.code) == (0, 0), (newest, named)
    assert f"good: restored and found equal. {second}: " in newest.out
    assert f"good: restored and found equal. {first}: " in named.out
    assert len(backups.files()) == 4  # and no scratch server is left


@pytest.mark.parametrize("offset", [10, 2000, -1], ids=["header", "middle", "last byte"])
def test_one_flipped_byte_is_found(backups: Backups, offset: int) -> None:
    damaged = backups.take()
    size = backups.listed()[0]["bytes"]
    backups.overwrite(f"{damaged}.dump", offset % size)

    verified, restored = backups.verb("verify"), backups.restore("--yes")

    assert (verified.code, restored.code) == (1, 1)
    assert "has changed since it was proven (SHA-256); use another backup" in verified.err
    assert "has changed since it was proven (SHA-256); use another backup" in restored.err


def test_a_lost_dump_is_found(backups: Backups) -> None:
    lost = backups.take()
    backups.run("rm", f"{FOLDER}/{lost}.dump")

    answer = backups.verb("verify")

    assert answer.code == 1
    assert f"{lost}.dump is gone" in answer.err


def test_content_other_than_the_manifest_says_is_found(backups: Backups) -> None:
    changed = backups.take()
    forget_a_row(backups, changed)

    answer = backups.verb("verify")

    assert answer.code == 1
    assert "public.alembic_version: 0 rows" in answer.err
    assert "(1 differences); do not use it" in answer.err


def test_a_damaged_manifest_counts_for_nothing(backups: Backups) -> None:
    good, damaged = backups.take(), backups.take()
    backups.run("truncate", "--size=100", f"{FOLDER}/{damaged}.json")

    listed, named = backups.listed(), backups.verb("verify", damaged)

    assert [backup["id"] for backup in listed] == [good]
    assert named.code == 1
    assert f"there is no proven backup {damaged}" in named.err
    assert f"there are: {good}" in named.err


def test_without_any_backup_the_verbs_say_so(backups: Backups) -> None:
    listed, as_json = backups.verb("list"), backups.verb("list", "--json")
    verified, restored = backups.verb("verify"), backups.restore("--yes")

    assert (listed.code, listed.out) == (0, "there is no proven backup yet\n")
    assert (as_json.code, json.loads(as_json.out)) == (0, [])
    assert (verified.code, restored.code) == (1, 1)
    assert "there are: none yet" in verified.err


def forget_a_row(backups: Backups, backup_id: str) -> None:
    """Make the manifest of a backup expect one row less than its dump has."""
    change = (
        "import json, pathlib, sys; p = pathlib.Path(sys.argv[1]); m = json.loads(p.read_text());"
        " m['fingerprint']['tables']['public.alembic_version']['rows'] = 0; p.write_text(json.dumps(m))"
    )
    answer = backups.run("python", "-c", change, f"{FOLDER}/{backup_id}.json")
    assert answer.code == 0, answer
