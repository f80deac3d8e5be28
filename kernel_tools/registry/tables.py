"""The catalog tables of the model registry. Renaming a model renames it everywhere, by the foreign keys."""

import sqlalchemy as sa

from kernel_tools.core.database import metadata


def _of_version(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["model", "version"],
        ["model_versions.model", "model_versions.version"],
        name=f"fk_{table}_model_version",
        ondelete="CASCADE",
        onupdate="CASCADE",
    )


model_groups = sa.Table(
    "model_groups",
    metadata,
    sa.Column("name", sa.String(256), primary_key=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("last_version", sa.Integer, nullable=False),
)
"""`last_version` is the highest number that a version ever had: a deleted one's is not given again."""

model_tags = sa.Table(
    "model_tags",
    metadata,
    sa.Column(
        "model",
        sa.ForeignKey("model_groups.name", ondelete="CASCADE", onupdate="CASCADE"),
        primary_key=True,
    ),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Index("ix_model_tags_key", "key"),
)

model_versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column(
        "model",
        sa.ForeignKey("model_groups.name", ondelete="CASCADE", onupdate="CASCADE"),
        primary_key=True,
    ),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(32)),
    sa.Column("model_id", sa.String(36)),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("storage_uri", sa.Text, nullable=False),
    sa.Column("run_link", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("licence", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("ix_model_versions_run_id", "run_id"),
    sa.Index("ix_model_versions_model_id", "model_id"),
    sa.Index("ix_model_versions_status_created_at", "status", "created_at"),
)
"""`content` is JSON that never changes: format, class, files, signature, sample, libraries. `id` survives renaming."""

version_tags = sa.Table(
    "version_tags",
    metadata,
    sa.Column("model", sa.String(256), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    _of_version("version_tags"),
    sa.Index("ix_version_tags_key", "key"),
)

model_aliases = sa.Table(
    "model_aliases",
    metadata,
    sa.Column("model", sa.String(256), primary_key=True),
    sa.Column("alias", sa.String(255), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    _of_version("model_aliases"),
)

model_promotions = sa.Table(
    "model_promotions",
    metadata,
    sa.Column(
        "model",
        sa.ForeignKey("model_groups.name", ondelete="CASCADE", onupdate="CASCADE"),
        primary_key=True,
    ),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("alias", sa.String(255), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("previous_version", sa.Integer),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("promoted_at", sa.BigInteger, nullable=False),
    sa.Column("promoted_by", sa.Text, nullable=False),
)
"""What was promoted to which alias, and why; it outlives the versions that it names."""

model_cards = sa.Table(
    "model_cards",
    metadata,
    sa.Column("model", sa.String(256), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    _of_version("model_cards"),
)
"""Every revision of every card; `content` is JSON."""

version_packages = sa.Table(
    "version_packages",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("model", sa.String(256), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("target", sa.String(64), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    _of_version("version_packages"),
    sa.Index("ix_version_packages_model_version", "model", "version"),
)
"""Other forms of a version's model; `content` is JSON that never changes: files, manifest, what it was chosen from."""

logged_models = sa.Table(
    "logged_models",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("experiment_id", sa.String(20), nullable=False),
    sa.Column("name", sa.String(500), nullable=False),
    sa.Column("model_type", sa.String(500), nullable=False),
    sa.Column("source_run_id", sa.String(32)),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("lifecycle", sa.String(8), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Index("ix_logged_models_experiment_id_created_at", "experiment_id", "created_at"),
    sa.Index("ix_logged_models_source_run_id", "source_run_id"),
)


def _of_logged_model() -> sa.Column[str]:
    return sa.Column("model_id", sa.ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True)


logged_model_tags = sa.Table(
    "logged_model_tags",
    metadata,
    _of_logged_model(),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Index("ix_logged_model_tags_key", "key"),
)

logged_model_params = sa.Table(
    "logged_model_params",
    metadata,
    _of_logged_model(),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Index("ix_logged_model_params_key", "key"),
)

logged_model_metrics = sa.Table(
    "logged_model_metrics",
    metadata,
    _of_logged_model(),
    sa.Column("key", sa.String(250), primary_key=True),
    sa.Column("timestamp", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("run_id", sa.String(32), primary_key=True),
    sa.Column("value", sa.Double),
    sa.Column("dataset_name", sa.String(500)),
    sa.Column("dataset_digest", sa.String(100)),
    sa.Index("ix_logged_model_metrics_key_value", "key", "value"),
)
"""`value` is NULL for NaN, as in the metrics of runs."""

logged_model_files = sa.Table(
    "logged_model_files",
    metadata,
    _of_logged_model(),
    sa.Column("path", sa.String(500), primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
