"""A real PostgreSQL for every integration test, empty at the start of each."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.integration.postgres import Database


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The project's own database image, migrated, with TLS and the four roles."""
    with Database(tmp_path_factory.mktemp("database")).running() as running:
        yield running


@pytest.fixture(autouse=True)
def clean_tables(database: Database) -> None:
    """Empty all tables, so that no test sees another's rows."""
    with database.engine("owner").begin() as connection:
        names = connection.scalars(
            text(
                "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
                " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
        ).one()
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
