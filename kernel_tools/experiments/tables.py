"""The catalog tables of experiments and runs. They are an index: the files of `experiments/` and the folders of
`runs/` are the truth, and `rebuild` makes the tables anew from them.

What is searched is keyed by `runs.number`, a small integer of this catalog alone, so that an index entry of a metric
takes a few bytes instead of the 32 characters of a run's id.
"""

import sqlalchemy as sa

from kernel_tools.core.database import metadata

INDEXED_LENGTH = 250
"""Characters of a text that are indexed; a longer text stands whole in `long_value`."""

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("name", sa.String(500), nullable=False, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("lifecycle", sa.String(8), nullable=False),
    sa.Column("is_archived", sa.Boolean, nullable=False),
)

experiment_tags = sa.Table(
    "experiment_tags",
    metadata,
    sa.Column("experiment_id", sa.ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("experiment_id", sa.ForeignKey("experiments.id"), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("lifecycle", sa.String(8), nullable=False),
    sa.Column("parent_run_id", sa.String(32)),
    sa.Column("segment_size", sa.BigInteger, nullable=False),
    sa.Index("ix_runs_experiment_id_started_at", "experiment_id", "started_at"),
    sa.Index("ix_runs_started_at", "started_at"),
    sa.Index("ix_runs_status", "status"),
    sa.Index("ix_runs_parent_run_id", "parent_run_id"),
)
"""`lifecycle` is ``deleted`` also for the runs of a deleted experiment."""

latest_metrics = sa.Table(
    "latest_metrics",
    metadata,
    sa.Column("run_number", sa.ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("value", sa.Double),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("timestamp", sa.BigInteger, nullable=False),
    sa.Index("ix_latest_metrics_key_value_run_number", "key", "value", "run_number"),
    sqlite_with_rowid=False,
)
"""`value` is NULL for NaN, which SQL has no comparison for; infinities are values."""


def _texts(name: str) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("run_number", sa.ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.String(250), primary_key=True),
        sa.Column("value", sa.String(INDEXED_LENGTH), nullable=False),
        sa.Column("long_value", sa.Text),
        sa.Index(f"ix_{name}_key_value_run_number", "key", "value", "run_number"),
        sqlite_with_rowid=False,
    )


params = _texts("params")
tags = _texts("tags")

run_inputs = sa.Table(
    "run_inputs",
    metadata,
    sa.Column("run_number", sa.ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(500), nullable=False),
    sa.Column("digest", sa.String(100), nullable=False),
    sa.Column("context", sa.String(250)),
    sa.Index("ix_run_inputs_name_digest", "name", "digest"),
    sqlite_with_rowid=False,
)
