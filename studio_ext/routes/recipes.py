"""The recipes below the server's root, over HTTP: what there is, and a new one for a table."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, InvalidDataError, NotFoundError
from kernel_tools.core.workspace import join_inside
from kernel_tools.wrangler.document import RecipeDocument, Source
from kernel_tools.wrangler.files import SUFFIX, read_recipe, write_recipe
from kernel_tools.wrangler.sources import formats
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Reply

MOST_RECIPES = 500
MOST_FOLDERS = 5_000
"""Folders that are looked into; beyond, the list says that it is not whole."""


class RecipeFile(Reply):
    """A recipe: its path below the server's root, its name, what it has, and when it was changed (ms since 1970)."""

    path: str
    name: str
    sources: list[str]
    steps: int
    changed_at: int
    error: str | None


class RecipeFiles(Reply):
    """The recipes, the latest first; `is_whole` is false if there are more files than were looked at."""

    items: list[RecipeFile]
    is_whole: bool
    formats: list[str]


class NewRecipeRequest(Body):
    """A table to begin with: a file below the server's root, or an address; where the recipe goes."""

    source: str = Field(min_length=1, max_length=4000)
    folder: str = Field("", max_length=4000)
    query: str | None = Field(None, max_length=100_000)


class CreatedRecipe(Reply):
    """The path of a new recipe."""

    path: str


class RecipesHandler(StudioHandler):
    """The recipes."""

    path = "/wrangler/recipes"
    auth_resource = "wrangler"

    @operation("list_recipes", "List the recipes below the server's root")
    def get(self) -> RecipeFiles:
        """Look into the folders that are not hidden."""
        root = _root(self)
        found, folders = [], 0
        for folder, names, files in os.walk(root):
            names[:] = sorted(name for name in names if not name.startswith(".") and name not in _SKIPPED)
            folders += 1
            found += [Path(folder) / name for name in files if name.endswith(SUFFIX) and not name.startswith(".")]
            if folders >= MOST_FOLDERS or len(found) >= MOST_RECIPES:
                break
        items = [item for item in (_describe(root, path) for path in found) if item is not None]
        items.sort(key=lambda item: -item.changed_at)
        whole = folders < MOST_FOLDERS and len(found) < MOST_RECIPES
        return RecipeFiles(items=items, is_whole=whole, formats=sorted(formats()))

    @operation(
        "create_recipe", "Begin a recipe with a table", status=201,
        raises=(InvalidArgumentError, NotFoundError, InvalidDataError),
    )  # fmt: skip
    def post(self, body: NewRecipeRequest) -> CreatedRecipe:
        """Write a recipe with one source beside its table, under a name that is free."""
        root = _root(self)
        if "://" in body.source:
            folder = join_inside(root, body.folder) if body.folder else root
            if not _exists(folder, Path.is_dir):
                raise NotFoundError(f"There is no folder {body.folder!r} below the one that JupyterLab was started in.")
            stem, uri = body.source.split("?")[0].rstrip("/").rsplit("/", 1)[-1], body.source
        else:
            file = join_inside(root, body.source)
            if not _exists(file, Path.is_file):
                raise NotFoundError(
                    f"There is no file {body.source!r} below the folder that JupyterLab was started in."
                )
            folder, stem, uri = file.parent, file.name, file.name
        source = Source(
            id="s1", kind="database" if body.query is not None else "file", uri=uri, query=body.query, name=stem
        )
        stem = re.sub(r"[^\w-]+", "_", stem.split(".")[0])[:100].strip("_") or "recipe"
        path = _free(folder, stem)
        write_recipe(RecipeDocument(name=stem, sources=[source]), path)
        self.workspace.audit.record("recipe.create", f"recipe/{path.name}", {"source": stem})
        return CreatedRecipe(path=path.relative_to(root).as_posix())


_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})


def _describe(root: Path, path: Path) -> RecipeFile | None:
    try:
        changed = int(path.stat().st_mtime * 1000)
    except OSError:
        return None
    where = path.relative_to(root).as_posix()
    try:
        document = read_recipe(path)
    except AtelierError as error:
        return RecipeFile(path=where, name=path.name, sources=[], steps=0, changed_at=changed, error=str(error))
    sources = [source.name or source.uri or source.kind for source in document.sources]
    return RecipeFile(
        path=where, name=document.name, sources=sources, steps=len(document.nodes), changed_at=changed, error=None
    )


def _exists(path: Path, is_there: Callable[[Path], bool]) -> bool:
    try:
        return is_there(path)
    except OSError:  # a name that no file can have
        return False


def _free(folder: Path, stem: str) -> Path:
    path, number = folder / f"{stem}{SUFFIX}", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}{SUFFIX}", number + 1
    return path


def _root(handler: StudioHandler) -> Path:
    root = handler.studio.serverapp.root_dir  # type: ignore[union-attr]  # it runs
    return Path(root).expanduser().resolve()


HANDLERS: list[type[StudioHandler]] = [RecipesHandler]
