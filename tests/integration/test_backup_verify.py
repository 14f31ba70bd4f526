"""A damaged backup is never called good."""

import json
import os

import pytest
from sqlalchemy import text

from tests.integration.backups import CATALOGUE, FOLDER, Backups, backups_of
from tests.integration.postgres import Database
from tests.integration.storage import storage, targets


def test_the_newest_or_a_named_backup_is_verified(backups: Backups) -> None:
    first, second = backups.take(), backups.take()

    newest, named = backups.verb("verify"), backups.verb("verify", first, "--json")

    assert (newest.code, named.code) == (0, 0), (newest, named)
    assert f"good: restored from local and found equal. {second}: " in newest.out
    assert json.loads(named.out)["id"] == first
    assert backups.left_over() == []  # and no scratch server is left


@pytest.mark.parametrize("offset", [10, 3000], ids=["first pieces", "middle"])
def test_one_flipped_byte_is_found(backups: Backups, offset: int) -> None:
    backups.take()
    size, name = largest(backups)
    backups.run("chmod", "-R", "u+w", f"{FOLDER}/repository")
    backups.overwrite(f"repository/data/{name}", offset % size)

    assert backups.verb("verify").code == os.EX_DATAERR


def test_a_lost_pack_is_found(backups: Backups) -> None:
    backups.take()
    backups.run("sh", "-c", f"rm -rf {FOLDER}/repository/data/*")

    answer = backups.verb("verify", "--json")

    assert answer.code == os.EX_DATAERR, answer
    assert json.loads(answer.out)["code"] == os.EX_DATAERR


def test_a_damaged_copy_is_made_anew_once_its_repository_is_mended(database: Database) -> None:
    with (
        storage(database, "rest") as server,
        backups_of(database, **targets(server)) as backups,
    ):
        damaged = backups.take()
        backups.run("sh", "-c", f"rm -f {FOLDER}/repository/data/{largest(backups)[1]}")

        answer = backups.verb("verify", damaged, "--target", "local")
        where = [list(one["copies"]) for one in backups.listed()]
        mended = backups.restic("repair", "index")
        codes = [backups.verb(verb).code for verb in ("take", "copy")]

        assert answer.code == os.EX_DATAERR
        assert f"this copy of the backup {damaged} counts no more, it is at rest" in answer.err
        assert where == [["rest"]]
        assert mended.code == 0, mended
        assert codes == [os.EX_UNAVAILABLE, 0]  # first what is damaged goes
        assert backups.verb("verify", damaged, "--target", "local").code == 0


def test_content_other_than_the_manifest_says_is_found(backups: Backups) -> None:
    changed = backups.take()
    forget_a_row(backups, changed)

    answer = backups.verb("verify")

    assert answer.code == os.EX_DATAERR
    assert "public.alembic_version: 0 rows" in answer.err
    assert "(1 differences); do not use it" in answer.err


def test_definitions_other_than_the_manifest_says_are_found(backups: Backups) -> None:
    changed = backups.take()
    backups.edit(changed, "m['fingerprint']['schema_sha256'] = 'ab'")
    backups.run("sh", "-c", f"echo 'CREATE TABLE public.lost ();' >> {CATALOGUE}/{changed}.sql")

    answer = backups.verb("verify")

    assert answer.code == os.EX_DATAERR
    assert "the definitions: tables, constraints, owners or grants are others" in answer.err


def test_definitions_that_read_otherwise_once_loaded_are_no_difference(
    database: Database, backups: Backups
) -> None:
    table = "CREATE TABLE listed (word varchar CHECK (word IN ('one', 'two')))"
    with database.engine("owner").begin() as connection:
        connection.execute(text(table))
    try:
        backups.take()
    finally:
        with database.engine("owner").begin() as connection:
            connection.execute(text("DROP TABLE listed"))

    assert backups.verb("verify").code == 0


def test_definitions_that_a_later_version_writes_otherwise_are_no_difference(
    backups: Backups,
) -> None:
    backups.edit(backups.take(), "m['fingerprint']['schema_sha256'] = 'ab'")

    assert backups.verb("verify").code == 0


def test_a_damaged_manifest_counts_for_nothing(backups: Backups) -> None:
    good, damaged = backups.take(), backups.take()
    backups.run("truncate", "--size=100", f"{CATALOGUE}/{damaged}.json")

    listed, named = backups.listed(), backups.verb("verify", damaged)

    assert [backup["id"] for backup in listed] == [good]
    assert named.code == 1
    assert f"there is no proven backup {damaged}" in named.err
    assert f"there are: {good}" in named.err


def test_without_any_backup_the_verbs_say_so(backups: Backups) -> None:
    listed, as_json = backups.verb("list"), backups.verb("list", "--json")
    verified, elsewhere = backups.verb("verify"), backups.verb("verify", "--target", "sftp")

    assert (listed.code, listed.out) == (0, "there is no backup yet\n")
    assert (as_json.code, json.loads(as_json.out)) == (0, [])
    assert (verified.code, elsewhere.code) == (1, 1)
    assert "there are: none yet" in verified.err


def largest(backups: Backups) -> tuple[int, str]:
    """Return the largest pack of the local repository: its size, and its name."""
    find = f"find {FOLDER}/repository/data -type f -printf '%s %P\\n' | sort -n | tail -1"
    size, name = backups.run("sh", "-c", find).out.split()
    return int(size), name


def forget_a_row(backups: Backups, backup_id: str) -> None:
    """Make the manifest of a backup expect one row less than its dump has."""
    backups.edit(backup_id, "m['fingerprint']['tables']['public.alembic_version']['rows'] = 0")
