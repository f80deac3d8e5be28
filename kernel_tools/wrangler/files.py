"""Recipes as files: read, checked, brought up to the present version, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kernel_tools.core.errors import InvalidDataError, NotFoundError
from kernel_tools.core.workspace import atomic_write
from kernel_tools.wrangler.document import RECIPE_VERSION, RecipeDocument
from kernel_tools.wrangler.graph import validate_graph
from kernel_tools.wrangler.migrations import migrate

SUFFIX = ".recipe.json"
SCHEMA_ID = "https://jupyter-atelier.org/schemas/recipe/1.json"


def parse_recipe(text: str | bytes, *, name: str = "The recipe") -> RecipeDocument:
    """Return the recipe that a file holds.

    Operators that this version does not know, and fields that it does not know, are kept.

    Raises
    ------
    InvalidDataError
        If it is no recipe, or one of a later version; the message says where the fault is.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidDataError(f"{name} is not JSON: {error}. Restore an earlier version of the file.") from error
    if not isinstance(content, dict) or not isinstance(content.get("recipe_version"), int):
        raise InvalidDataError(f"{name} is no recipe: the field 'recipe_version' is missing.")
    if content["recipe_version"] > RECIPE_VERSION:
        raise InvalidDataError(
            f"{name} has the version {content['recipe_version']}, this Atelier reads up to {RECIPE_VERSION}. "
            "Update jupyter-atelier."
        )
    try:
        known = {key: value for key, value in migrate(content).items() if key != "$schema"}
        document = RecipeDocument.model_validate(known)
        validate_graph(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidDataError(f"{name} is no recipe: {where}: {first['msg']}.") from error
    return document


def format_recipe(document: RecipeDocument) -> str:
    """Return a recipe as the text of its file: JSON with an indent, the same text for the same recipe."""
    content: dict[str, Any] = {"$schema": SCHEMA_ID, **document.model_dump(mode="json", exclude_none=True)}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_recipe(path: str | Path) -> RecipeDocument:
    """Return the recipe of a file; raises as `parse_recipe`.

    Raises
    ------
    NotFoundError
        If there is no such file.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    return parse_recipe(content, name=path.name)


def write_recipe(document: RecipeDocument, path: str | Path) -> Path:
    """Write a recipe to a file, whole or not at all; `SUFFIX` is added where it is missing.

    Raises
    ------
    NotFoundError
        If the folder does not exist.
    """
    path = Path(path)
    if not path.name.endswith(SUFFIX):
        path = path.with_name(path.name + SUFFIX)
    try:
        with atomic_write(path) as file:
            file.write(format_recipe(document).encode())
    except OSError as error:
        raise NotFoundError(f"The recipe cannot be written to {path.parent}: {error.strerror}.") from error
    return path
