"""Models with tags, stages, cards and numbers that are not given again; logged models."""

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of the registry anew and carry over what the old ones hold."""
    connection = op.get_bind()
    old = {
        name: [dict(row._mapping) for row in connection.execute(sa.text(f"SELECT * FROM {name}"))]
        for name in ("model_groups", "model_versions", "model_aliases")
    }
    for name in ("model_aliases", "model_versions", "model_groups"):
        op.drop_table(name)
    groups, versions, aliases = _create_models()
    _create_logged_models()
    newest: dict[str, tuple[int, int]] = {}
    for row in old["model_versions"]:
        number, time = newest.get(row["model"], (0, 0))
        newest[row["model"]] = (max(number, row["version"]), max(time, row["created_at"], row["decided_at"] or 0))
    _insert(
        groups,
        [
            {
                **row,
                "description": "",
                "last_version": newest.get(row["name"], (0, 0))[0],
                "updated_at": max(row["created_at"], newest.get(row["name"], (0, 0))[1]),
            }
            for row in old["model_groups"]
        ],
    )
    added = {
        "model_id": None,
        "stage": "None",
        "source": "",
        "storage_uri": "",
        "run_link": "",
        "description": "",
        "licence": "",
    }
    _insert(
        versions,
        [
            {
                **row,
                **added,
                "id": uuid.uuid4().hex,
                "updated_at": max(row["created_at"], row["decided_at"] or 0),
            }
            for row in old["model_versions"]
        ],
    )
    _insert(aliases, old["model_aliases"])


def _insert(table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        op.get_bind().execute(table.insert(), rows)


def _create_models() -> tuple[sa.Table, sa.Table, sa.Table]:
    groups = op.create_table(
        "model_groups",
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("last_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_model_groups"),
    )
    op.create_table(
        "model_tags",
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("key", sa.String(250), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("model", "key", name="pk_model_tags"),
        _of_model("model_tags"),
    )
    op.create_index("ix_model_tags_key", "model_tags", ["key"])
    versions = op.create_table(
        "model_versions",
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(32)),
        sa.Column("model_id", sa.String(36)),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("source", "storage_uri", "run_link", "description", "licence")
        ),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("model", "version", name="pk_model_versions"),
        sa.UniqueConstraint("id", name="uq_model_versions_id"),
        _of_model("model_versions"),
    )
    op.create_index("ix_model_versions_run_id", "model_versions", ["run_id"])
    op.create_index("ix_model_versions_model_id", "model_versions", ["model_id"])
    op.create_index("ix_model_versions_status_created_at", "model_versions", ["status", "created_at"])
    op.create_table(
        "version_tags",
        *_version_columns("version_tags"),
        sa.Column("key", sa.String(250), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("model", "version", "key", name="pk_version_tags"),
    )
    op.create_index("ix_version_tags_key", "version_tags", ["key"])
    aliases = op.create_table(
        "model_aliases",
        *_version_columns("model_aliases"),
        sa.Column("alias", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("model", "alias", name="pk_model_aliases"),
    )
    op.create_table(
        "model_promotions",
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("alias", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("previous_version", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("promoted_at", sa.BigInteger, nullable=False),
        sa.Column("promoted_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("model", "number", name="pk_model_promotions"),
        _of_model("model_promotions"),
    )
    op.create_table(
        "model_cards",
        *_version_columns("model_cards"),
        sa.Column("revision", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("model", "version", "revision", name="pk_model_cards"),
    )
    return groups, versions, aliases


def _create_logged_models() -> None:
    op.create_table(
        "logged_models",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("experiment_id", sa.String(20), nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("model_type", sa.String(500), nullable=False),
        sa.Column("source_run_id", sa.String(32)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("lifecycle", sa.String(8), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_logged_models"),
    )
    op.create_index("ix_logged_models_experiment_id_created_at", "logged_models", ["experiment_id", "created_at"])
    op.create_index("ix_logged_models_source_run_id", "logged_models", ["source_run_id"])
    for name in ("logged_model_tags", "logged_model_params"):
        op.create_table(
            name,
            *_logged_model_columns(name),
            sa.Column("key", sa.String(250), nullable=False),
            sa.Column("value", sa.Text, nullable=False),
            sa.PrimaryKeyConstraint("model_id", "key", name=f"pk_{name}"),
        )
        op.create_index(f"ix_{name}_key", name, ["key"])
    op.create_table(
        "logged_model_metrics",
        *_logged_model_columns("logged_model_metrics"),
        sa.Column("key", sa.String(250), nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("step", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("dataset_name", sa.String(500)),
        sa.Column("dataset_digest", sa.String(100)),
        sa.PrimaryKeyConstraint("model_id", "key", "timestamp", "step", "run_id", name="pk_logged_model_metrics"),
    )
    op.create_index("ix_logged_model_metrics_key_value", "logged_model_metrics", ["key", "value"])
    op.create_table(
        "logged_model_files",
        *_logged_model_columns("logged_model_files"),
        sa.Column("path", sa.String(500), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "path", name="pk_logged_model_files"),
    )


def _of_model(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["model"], ["model_groups.name"], name=f"fk_{table}_model", ondelete="CASCADE", onupdate="CASCADE"
    )


def _version_columns(table: str) -> list[Any]:
    return [
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(
            ["model", "version"],
            ["model_versions.model", "model_versions.version"],
            name=f"fk_{table}_model_version",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
    ]


def _logged_model_columns(table: str) -> list[Any]:
    return [
        sa.Column("model_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["logged_models.id"], name=f"fk_{table}_model_id", ondelete="CASCADE"),
    ]
