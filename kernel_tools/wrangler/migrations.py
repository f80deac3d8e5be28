"""Recipes of earlier versions, and steps of earlier versions of their operator, brought up to the present ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Migration = Callable[[dict[str, Any]], dict[str, Any]]

RECIPE_MIGRATIONS: dict[int, Migration] = {}
"""What makes a recipe of version n one of version n + 1."""

OPERATOR_MIGRATIONS: dict[tuple[str, int], Migration] = {}
"""What makes the parameters of version n of an operator those of version n + 1."""


def migrate(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a recipe's file as that of the present versions; the argument is not changed.

    A step of an operator that is not known, or of a later version than the one that is, is left as it is.
    """
    content = dict(content)
    while (step := RECIPE_MIGRATIONS.get(content["recipe_version"])) is not None:
        content = {**step(content), "recipe_version": content["recipe_version"] + 1}
    if isinstance(content.get("nodes"), list):
        content["nodes"] = [_migrate_node(node) for node in content["nodes"]]
    return content


def _migrate_node(node: Any) -> Any:
    if not isinstance(node, dict) or not isinstance(node.get("params", {}), dict):
        return node
    version = node.get("op_version", 1)
    while (step := OPERATOR_MIGRATIONS.get((node.get("op", ""), version))) is not None:
        version += 1
        node = {**node, "op_version": version, "params": step(node.get("params", {}))}
    return node
