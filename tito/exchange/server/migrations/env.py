"""Run by alembic: migrates the database of the connection that it is given."""

from __future__ import annotations

from alembic import context

from tito.exchange.server.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
