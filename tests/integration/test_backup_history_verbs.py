"""Each backup leaves an entry in the history, and people read from it when and how the schema changed."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.integration.backups import Backups
from tests.integration.postgres import Database


@pytest.fixture
def two_schemas(database: Database, backups: Backups) -> Iterator[list[str]]:
    """Three backups, the schema changed before the last; their ids."""
    ids = [backups.take(), backups.take()]
    with database.engine("owner").begin() as connection:
        connection.execute(text("CREATE TABLE later (n int)"))
    try:
        yield [*ids, backups.take()]
    finally:
        with database.engine("owner").begin() as connection:
            connection.execute(text("DROP TABLE later"))


def test_the_log_names_the_backups_with_another_schema(
    backups: Backups, two_schemas: list[str]
) -> None:
    told = json.loads(backups.verb("schema-log", "--json").out)

    first, _, last = two_schemas
    assert [change["message"].split()[1] for change in told] == [f"{last}:", f"{first}:"]


def test_the_difference_is_what_was_changed(backups: Backups, two_schemas: list[str]) -> None:
    first, second, last = two_schemas

    assert "the schema is the same" in backups.verb("schema-diff", first, second).out
    assert "+CREATE TABLE public.later" in backups.verb("schema-diff", second).out
    assert "-CREATE TABLE public.later" in backups.verb("schema-diff", last, first).out


def test_what_the_history_has_not_is_told(backups: Backups) -> None:
    before = backups.verb("schema-diff", "2020-01-01", "--json")
    backups.take()
    after = backups.verb("schema-diff", "2020-01-01")

    assert (before.code, after.code) == (1, 1)
    assert "there is no history yet" in json.loads(before.out)["error"]
    assert "the history has nothing for 2020-01-01" in after.err
