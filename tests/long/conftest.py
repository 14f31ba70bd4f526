"""The database of the integration tests, for tests that take minutes."""

from tests.integration.conftest import clean_tables, database

__all__ = ["clean_tables", "database"]
