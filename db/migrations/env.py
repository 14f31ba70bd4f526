"""Alembic's entry: it runs the revisions on the connection, and in the transaction, that migrate.py opened."""

from alembic import context

from common.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
