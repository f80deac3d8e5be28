"""The catalog table of jobs: an index of the folders in `jobs/`, which are the truth."""

import sqlalchemy as sa

from kernel_tools.core.database import metadata

jobs = sa.Table(
    "jobs",
    metadata,
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
    sa.Column("schedule", sa.String(128)),
    sa.Index("ix_jobs_created_at", "created_at"),
    sa.Index("ix_jobs_state", "state"),
    sa.Index("ix_jobs_experiment", "experiment"),
    sa.Index("ix_jobs_run_id", "run_id"),
    sa.Index("ix_jobs_schedule", "schedule"),
)
