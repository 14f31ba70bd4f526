"""What a restore has put aside: gone back to exactly, kept until told otherwise, and then gone."""

import json
import os

from tests.integration.backups import Backups
from tests.integration.postgres import Database
from tests.integration.restores import AGREED, Restores, write, written


def test_undo_gives_back_exactly_what_was_there(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.take()
    write(web, "later")
    sums = "SELECT count(*), sum(hashtextextended(o::text, 0)) FROM outbox AS o"
    before = restores.in_keelson(sums)
    kept = json.loads(restores.restore("--json").out)["kept"]
    write(web, "after the restore")

    answer = restores.verb("undo", *AGREED, "--json")

    told = json.loads(answer.out)
    assert (answer.code, told["again"]) == (0, kept)
    assert restores.in_keelson(sums) == before
    assert restores.databases() == ["keelson", told["kept"]]
    assert told["kept"].startswith("keelson_undone_")
    write(web, "and on it goes")
    backups.take()


def test_an_undo_can_be_undone(database: Database, backups: Backups, restores: Restores) -> None:
    web = database.engine("web")
    write(web, "kept")
    backups.take()
    write(web, "later")
    restores.restore()
    undone = json.loads(restores.verb("undo", *AGREED, "--json").out)["kept"]

    answer = restores.verb("undo", undone, *AGREED)

    assert answer.code == 0, answer
    assert written(web) == {"kept"}


def test_what_is_kept_stays_until_it_is_dropped_by_name_or_altogether(
    backups: Backups, restores: Restores
) -> None:
    backups.take()
    kept = [json.loads(restores.restore("--json").out)["kept"] for _ in range(3)]
    after = restores.databases()

    one = json.loads(restores.verb("drop-old", kept[0], "--yes", "--json").out)
    between = restores.databases()
    rest = json.loads(restores.verb("drop-old", "--yes", "--json").out)
    nothing = restores.verb("drop-old", "--yes")

    assert after == ["keelson", *kept]
    assert (one["dropped"], between) == (kept[:1], ["keelson", *kept[1:]])
    assert (rest["dropped"], restores.databases()) == (kept[1:], ["keelson"])
    assert (nothing.code, "nothing is kept" in nothing.out) == (0, True)


def test_neither_is_done_unasked(backups: Backups, restores: Restores) -> None:
    backups.take()
    restores.restore()
    before = restores.databases()

    undo, drop = restores.verb("undo"), restores.verb("drop-old")

    assert (undo.code, drop.code) == (os.EX_USAGE, os.EX_USAGE)
    assert "nobody is here to ask" in undo.err
    assert "no undo leads back to them" in drop.err
    assert restores.databases() == before


def test_without_a_restore_there_is_nothing_to_undo(restores: Restores) -> None:
    answer = restores.verb("undo", *AGREED)

    assert answer.code == 1
    assert "there is no database keelson_before_... to go back to; kept: none" in answer.err
