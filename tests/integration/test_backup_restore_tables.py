"""Single tables come back beside the live ones, which nobody touches."""

import json

from sqlalchemy import delete

from common.schema import outbox
from tests.integration.backups import Backups
from tests.integration.postgres import Database
from tests.integration.restores import Restores, write, written


def test_tables_come_back_beside_the_live_ones_and_can_be_copied_from(
    database: Database, backups: Backups, restores: Restores
) -> None:
    web = database.engine("web")
    write(web, "lost")
    backups.take()
    with database.engine("mailer").begin() as connection:
        connection.execute(delete(outbox))
    write(web, "later")

    answer = restores.verb("restore-table", "outbox", "accounts", "--json")

    told = json.loads(answer.out)
    schema = told["schema"]
    assert (answer.code, told["rows"]) == (0, {"outbox": 1, "accounts": 0})
    assert written(web) == {"later"}
    bring_back = (
        f"INSERT INTO public.outbox OVERRIDING SYSTEM VALUE SELECT * FROM {schema}.outbox"
        " ON CONFLICT DO NOTHING"
    )
    restores.in_keelson(bring_back)
    assert written(web) == {"lost", "later"}


def test_they_are_tied_to_nothing_and_belong_to_the_owner_alone(
    backups: Backups, restores: Restores
) -> None:
    backups.take()

    schema = json.loads(restores.verb("restore-table", "mail_bodies", "--json").out)["schema"]

    facts = (
        "SELECT relowner::regrole, coalesce(relacl::text, 'none'),"
        f" (SELECT count(*) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'f')"
        f" FROM pg_class AS c WHERE oid = '{schema}.mail_bodies'::regclass"
    )
    assert restores.in_keelson(facts).strip() == "keelson_owner|none|0"
    restores.in_keelson(f"DROP SCHEMA {schema} CASCADE")
    backups.take()


def test_it_says_what_to_do_with_them(backups: Backups, restores: Restores) -> None:
    backups.take()

    answer = restores.verb("restore-table", "outbox")

    assert "To look:        SELECT * FROM restored_" in answer.out
    assert "To bring back:  INSERT INTO public." in answer.out
    assert "To drop:        DROP SCHEMA restored_" in answer.out


def test_an_unknown_table_is_named_with_what_there_was(
    backups: Backups, restores: Restores
) -> None:
    backups.take()

    answer = restores.verb("restore-table", "outbox", "nonsense")

    assert answer.code == 1
    assert "there was no table nonsense; there were: account_tokens, accounts" in answer.err
    schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'restored%'"
    assert restores.in_keelson(schemas).strip() == "0"
