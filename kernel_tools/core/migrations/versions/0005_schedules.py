"""Which schedule a job comes from."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the schedule to the table of jobs; jobs that are there come from none."""
    op.add_column("jobs", sa.Column("schedule", sa.String(128)))
    op.create_index("ix_jobs_schedule", "jobs", ["schedule"])
