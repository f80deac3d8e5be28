"""The tables of MLflow's database, as they are found: a store of an older release lacks some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

WANTED = frozenset(
    {
        "experiments",
        "experiment_tags",
        "runs",
        "params",
        "tags",
        "metrics",
        "datasets",
        "inputs",
        "input_tags",
        "logged_models",
        "logged_model_params",
        "logged_model_tags",
        "logged_model_metrics",
        "registered_models",
        "registered_model_tags",
        "registered_model_aliases",
        "model_versions",
        "model_version_tags",
    }
)
DEFAULT_AREA = "default"
"""The one of MLflow's own workspaces that a store has from the beginning."""


class Tables:
    """Gives tables by their names."""

    def __init__(self, connection: sa.Connection) -> None:
        metadata = sa.MetaData()
        metadata.reflect(connection, only=lambda name, _: name in WANTED, resolve_fks=False)
        self._tables = metadata.tables

    def __contains__(self, name: str) -> bool:
        return name in self._tables

    def __getitem__(self, name: str) -> sa.Table:
        return self._tables[name]

    def texts(
        self, connection: sa.Connection, name: str, owner: str, owners: Sequence[Any], key: str = "key"
    ) -> dict[Any, dict[str, str]]:
        """Return the keys and values of some owners, by owner; a value that is not there is empty."""
        found: dict[Any, dict[str, str]] = {}
        if name not in self or not owners:
            return found
        table = self._tables[name]
        value = "param_value" if "param_value" in table.c else "tag_value" if "tag_value" in table.c else "value"
        query = sa.select(table.c[owner], table.c[key], table.c[value])
        for start in range(0, len(owners), 500):
            part = query.where(table.c[owner].in_(owners[start : start + 500]))
            for owner_id, text_key, text in connection.execute(part):
                found.setdefault(owner_id, {})[text_key] = "" if text is None else text
        return found


def titled(row: Any, separator: str) -> str:
    """Return the name in a row; outside MLflow's default workspace it begins with the workspace's."""
    area = row.get("workspace") or DEFAULT_AREA
    return str(row["name"]) if area == DEFAULT_AREA else f"{area}{separator}{row['name']}"
