"""The catalog tables of experiments and runs. They are an index: `run.json` and the metrics segment of a run "
"are the truth."""

import sqlalchemy as sa

from kernel_tools.core.database import metadata

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("name", sa.String(250), primary_key=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("experiment", sa.ForeignKey("experiments.name"), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("segment_size", sa.BigInteger, nullable=False, default=0),
    sa.Index("ix_runs_experiment_started_at", "experiment", "started_at"),
    sa.Index("ix_runs_started_at", "started_at"),
    sa.Index("ix_runs_status", "status"),
)

latest_metrics = sa.Table(
    "latest_metrics",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("value", sa.Double),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("timestamp", sa.BigInteger, nullable=False),
    sa.Index("ix_latest_metrics_key_value_run_id", "key", "value", "run_id"),
)
"""`value` is NULL for NaN, which SQL has no comparison for; infinities are values."""

params = sa.Table(
    "params",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
