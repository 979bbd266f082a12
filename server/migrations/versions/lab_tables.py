"""The lab: specs, runs and the results of points."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables; a run has each of its points at most once."""
    op.create_table(
        "lab_specs",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("toml", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("num_points", sa.Integer, nullable=False),
        sa.Column("plan", sa.String, nullable=False),
    )
    op.create_table(
        "lab_runs",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("edit_key", sa.String, nullable=False),
        sa.Column("digest", sa.String, sa.ForeignKey("lab_specs.digest"), nullable=False, index=True),
        sa.Column("created", sa.Float, nullable=False, index=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
    )
    op.create_table(
        "lab_points",
        sa.Column("run_id", sa.String, sa.ForeignKey("lab_runs.run_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("result", sa.String, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables with all they hold."""
    for name in ("lab_points", "lab_runs", "lab_specs"):
        op.drop_table(name)
