"""Runs the migrations on the connection that `Database` opened and locked."""

from alembic import context

from kernel_tools.core.database import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
