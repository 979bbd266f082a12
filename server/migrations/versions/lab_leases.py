"""The lab: which process carries a run out, and until when that is certain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; runs from before are carried out by nobody until somebody takes them up."""
    op.add_column("lab_runs", sa.Column("carrier", sa.String, nullable=False, server_default=""))
    op.add_column("lab_runs", sa.Column("carried_until", sa.Float, nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop the columns."""
    for name in ("carried_until", "carrier"):
        op.drop_column("lab_runs", name)
