"""Sessions, their commands and uploaded tables: what a database had before there were revisions.

Such a database has them already, with all their rows, and keeps them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that are missing."""
    present = set(sa.inspect(op.get_bind()).get_table_names())
    if "sessions" not in present:
        op.create_table(
            "sessions",
            sa.Column("session_id", sa.String, primary_key=True),
            sa.Column("edit_key", sa.String, nullable=False),
            sa.Column("used", sa.Float, nullable=False, index=True),
            sa.Column("title", sa.String, nullable=False),
            sa.Column("dataset_id", sa.String),
            sa.Column("epoch", sa.Integer, nullable=False),
            sa.Column("step", sa.Integer, nullable=False),
            sa.Column("checkpoint", sa.LargeBinary, nullable=False),
        )
    if "commands" not in present:
        session = sa.ForeignKey("sessions.session_id", ondelete="CASCADE")
        op.create_table(
            "commands",
            sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
            sa.Column("session_id", sa.String, session, nullable=False, index=True),
            sa.Column("at", sa.Float, nullable=False),
            sa.Column("command", sa.String, nullable=False),
        )
    if "tables" not in present:
        op.create_table(
            "tables",
            sa.Column("dataset_id", sa.String, primary_key=True),
            sa.Column("created", sa.Float, nullable=False),
            sa.Column("content", sa.LargeBinary, nullable=False),
        )


def downgrade() -> None:
    """Drop the tables with all they hold."""
    for name in ("tables", "commands", "sessions"):
        op.drop_table(name)
