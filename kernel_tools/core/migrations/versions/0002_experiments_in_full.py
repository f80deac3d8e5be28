"""Experiments with ids, tags and a life cycle; runs nested, deleted and keyed by a small number; dataset inputs."""

import hashlib
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INDEXED_LENGTH = 250


def upgrade() -> None:
    """Make the tables of experiments anew and carry over what the old ones hold."""
    connection = op.get_bind()
    old = {
        name: [dict(row._mapping) for row in connection.execute(sa.text(f'SELECT * FROM "{name}"'))]
        for name in ("experiments", "runs", "latest_metrics", "params", "tags")
    }
    for name in ("latest_metrics", "params", "tags", "runs", "experiments"):
        op.drop_table(name)
    tables = _create()
    experiment_ids = {row["name"]: _experiment_id(row["name"]) for row in old["experiments"]}
    _insert(
        tables["experiments"],
        (
            {
                "id": experiment_ids[row["name"]],
                "name": row["name"],
                "created_at": row["created_at"],
                "updated_at": row["created_at"],
                "lifecycle": "active",
                "is_archived": False,
            }
            for row in old["experiments"]
        ),
    )
    numbers = {row["id"]: number for number, row in enumerate(old["runs"], 1)}
    kept = ("id", "name", "status", "user", "started_at", "ended_at", "segment_size")
    _insert(
        tables["runs"],
        (
            {
                **{name: row[name] for name in kept},
                "number": numbers[row["id"]],
                "experiment_id": experiment_ids[row["experiment"]],
                "lifecycle": "active",
                "parent_run_id": None,
            }
            for row in old["runs"]
        ),
    )
    if connection.dialect.name == "postgresql" and numbers:
        connection.execute(
            sa.text("SELECT setval(pg_get_serial_sequence('runs', 'number'), :last)"), {"last": len(numbers)}
        )
    _insert(
        tables["latest_metrics"],
        (
            {
                "run_number": numbers[row["run_id"]],
                **{name: row[name] for name in ("key", "value", "step", "timestamp")},
            }
            for row in old["latest_metrics"]
        ),
    )
    for name in ("params", "tags"):
        _insert(
            tables[name],
            (
                {
                    "run_number": numbers[row["run_id"]],
                    "key": row["key"],
                    "value": row["value"][:INDEXED_LENGTH],
                    "long_value": row["value"] if len(row["value"]) > INDEXED_LENGTH else None,
                }
                for row in old[name]
            ),
        )


def _insert(table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    content = list(rows)
    if content:
        op.get_bind().execute(table.insert(), content)


def _experiment_id(name: str) -> str:
    """Give the id that the experiment files give, too: part of the name's digest, as a number."""
    return "0" if name == "Default" else str(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % 10**18)


def _create() -> dict[str, sa.Table]:
    experiments = op.create_table(
        "experiments",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("lifecycle", sa.String(8), nullable=False),
        sa.Column("is_archived", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_experiments"),
        sa.UniqueConstraint("name", name="uq_experiments_name"),
    )
    op.create_table(
        "experiment_tags",
        sa.Column("experiment_id", sa.String(20), nullable=False),
        sa.Column("key", sa.String(250), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "key", name="pk_experiment_tags"),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name="fk_experiment_tags_experiment_id", ondelete="CASCADE"
        ),
    )
    runs = op.create_table(
        "runs",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("experiment_id", sa.String(20), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("lifecycle", sa.String(8), nullable=False),
        sa.Column("parent_run_id", sa.String(32)),
        sa.Column("segment_size", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_runs"),
        sa.UniqueConstraint("id", name="uq_runs_id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name="fk_runs_experiment_id"),
    )
    op.create_index("ix_runs_experiment_id_started_at", "runs", ["experiment_id", "started_at"])
    for column in ("started_at", "status", "parent_run_id"):
        op.create_index(f"ix_runs_{column}", "runs", [column])
    created = {"experiments": experiments, "runs": runs}
    created["latest_metrics"] = _create_searched(
        "latest_metrics",
        sa.Column("value", sa.Double),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
    )
    for name in ("params", "tags"):
        created[name] = _create_searched(
            name, sa.Column("value", sa.String(INDEXED_LENGTH), nullable=False), sa.Column("long_value", sa.Text)
        )
    op.create_table(
        "run_inputs",
        sa.Column("run_number", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("digest", sa.String(100), nullable=False),
        sa.Column("context", sa.String(250)),
        sa.PrimaryKeyConstraint("run_number", "position", name="pk_run_inputs"),
        sa.ForeignKeyConstraint(["run_number"], ["runs.number"], name="fk_run_inputs_run_number", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_inputs_name_digest", "run_inputs", ["name", "digest"])
    return created


def _create_searched(name: str, *columns: sa.Column[Any]) -> sa.Table:
    """Create a table of one value per run and key, with the index that searches walk."""
    table = op.create_table(
        name,
        sa.Column("run_number", sa.Integer, nullable=False),
        sa.Column("key", sa.String(250), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("run_number", "key", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["run_number"], ["runs.number"], name=f"fk_{name}_run_number", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{name}_key_value_run_number", name, ["key", "value", "run_number"])
    return table
