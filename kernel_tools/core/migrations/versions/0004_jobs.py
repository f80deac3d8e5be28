"""Jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of jobs."""
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(128), nullable=False, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("entry_kind", sa.String(16), nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("experiment", sa.String(500)),
        sa.Column("run_id", sa.String(32)),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("is_spot", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("running_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("running_time", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("events_size", sa.BigInteger, nullable=False),
    )
    for columns in ("created_at", "state", "experiment", "run_id"):
        op.create_index(f"ix_jobs_{columns}", "jobs", [columns])
