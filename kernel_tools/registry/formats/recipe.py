"""Recipes of the Data Wrangler, fitted: the first model of an inference pipeline.

The registry does not know recipes; the wrangler provides what reads their files at the seam ``recipes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError, UnavailableError
from kernel_tools.core.seams import providers
from kernel_tools.registry.formats._base import SavedModel, is_instance_of, rename_only_file

SUFFIX = ".recipe.json"
_FILE = f"model{SUFFIX}"


class RecipeFormat:
    """A recipe whose steps have learned; what it does to new rows is its ``transform``."""

    name = "recipe"
    keeps_folder = False

    def can_save(self, model: object) -> bool:
        """Whether it is a recipe."""
        return is_instance_of(model, "kernel_tools.wrangler.recipe.Recipe")

    def save(self, model: Any, folder: Path, sample: object | None) -> SavedModel:
        """Write the recipe's file.

        Raises
        ------
        InvalidArgumentError
            If a step has not learned yet.
        """
        _require_fitted(model)
        return _described(model.save(folder / _FILE))

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Whether there is one file of a recipe and no other."""
        return len(paths) == 1 and paths[0].endswith(SUFFIX)

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Read the file, and name it."""
        path = rename_only_file(folder, _FILE, ".json")
        _require_fitted(_load(path, trust=False))
        return _described(path)

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the recipe; its steps of code run only if `trust` is given."""
        return _load(folder / _FILE, trust=trust)


def _load(path: Path, *, trust: bool) -> Any:
    load = providers("recipes").get("wrangler")
    if load is None:
        raise UnavailableError("Recipes cannot be read here: kernel_tools.wrangler is missing.")
    return load(path, is_trusted=trust)


def _described(path: Path) -> SavedModel:
    recipe = _load(path, trust=False)
    return SavedModel(
        RecipeFormat.name,
        "kernel_tools.wrangler.recipe.Recipe",
        libraries=["duckdb", "ibis-framework"],
        untrusted_types=[] if recipe.is_trusted else ["steps of code"],
        has_code=not recipe.is_trusted,
    )


def _require_fitted(recipe: Any) -> None:
    if not recipe.is_fitted:
        raise InvalidArgumentError(
            "A step of the recipe has not learned yet: call recipe.fit() first, then register it."
        )
