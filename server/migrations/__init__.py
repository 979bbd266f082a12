"""The steps from one form of the database to the next, carried out when a database is opened (Alembic).

A change of tables is a new file in `versions`, whose revision follows the last; the files there are never edited.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

# any number of our own: servers that open one PostgreSQL database at once migrate it one after the other
LOCK = 7_052_021


class MigrationError(Exception):
    """The database cannot be brought to the form that this version needs; the message is one sentence."""


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest form, all in the connection's transaction, which its owner commits.

    A database from before there were revisions keeps all it has. Raises MigrationError for one that a newer version
    has written.
    """
    if connection.dialect.name == "sqlite":
        # the driver begins by itself only ahead of what changes rows, and tables would be made outside of it
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "server:migrations")
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise MigrationError(f"it was written by a newer Kanoscope: {error}") from error
