"""The catalog tables of the model registry."""

import sqlalchemy as sa

from kernel_tools.core.database import metadata

model_groups = sa.Table(
    "model_groups",
    metadata,
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

model_versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("model", sa.ForeignKey("model_groups.name"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(32)),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False, default=""),
    sa.Index("ix_model_versions_run_id", "run_id"),
    sa.Index("ix_model_versions_status_created_at", "status", "created_at"),
)
"""`content` is JSON that never changes: format, class, files, signature, sample, libraries."""

model_aliases = sa.Table(
    "model_aliases",
    metadata,
    sa.Column("model", sa.String(128), primary_key=True),
    sa.Column("alias", sa.String(128), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(
        ["model", "version"],
        ["model_versions.model", "model_versions.version"],
        name="fk_model_aliases_model_version",
        ondelete="CASCADE",
    ),
)
