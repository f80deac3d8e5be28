"""What the handlers of open recipes share: finding one, work under way, errors."""

from __future__ import annotations

import json
from concurrent.futures import TimeoutError
from pathlib import Path
from typing import Any, Literal

from kernel_tools.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    InvalidDataError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from kernel_tools.wrangler.document import RecipeDocument
from kernel_tools.wrangler.files import parse_recipe
from studio_ext.handlers import StudioHandler
from studio_ext.schema import Reply
from studio_ext.wrangling import OpenRecipe, Task

REFUSED = (InvalidArgumentError, NotFoundError, ConflictError, InvalidDataError, UnavailableError, ForbiddenError,
           TooLargeError)  # fmt: skip
QUICK_SECONDS = 0.1
"""How long a request waits for work that may be done at once."""


class ColumnDetail(Reply):
    """A column: its type in words, and its kind, which decides what can be done with it."""

    name: str
    type: str
    kind: str


class TaskReply(Reply):
    """Work: whether it is done, how far it is, and what came out."""

    task: str
    method: str
    state: Literal["running", "done"]
    progress: dict[str, object] | None
    result: dict[str, object] | None


def checked_document(document: dict[str, Any]) -> RecipeDocument:
    """Return the recipe that a request holds; older versions are brought up to date."""
    return parse_recipe(json.dumps(document))


class WranglerHandler(StudioHandler):
    """Base of the handlers of open recipes."""

    auth_resource = "wrangler"

    def recipe(self, session: str) -> OpenRecipe:
        """Return an open recipe."""
        return self.studio.wrangling.find(session)

    @property
    def root(self) -> Path:
        """The folder that JupyterLab was started in."""
        root = self.studio.serverapp.root_dir  # type: ignore[union-attr]  # it runs
        return Path(root).expanduser().resolve()

    def inside(self, recipe: OpenRecipe, path: str) -> Path:
        """Return a path from the folder of a recipe; it has to be below the one that JupyterLab was started in."""
        found = (recipe.base / path).resolve()
        if not found.is_relative_to(self.root):
            raise InvalidArgumentError(
                f"{path!r} is outside of the folder that JupyterLab was started in. Choose a path below it."
            )
        return found


def begin(recipe: OpenRecipe, method: str, **params: Any) -> TaskReply:
    """Start work, and wait a moment for work that is done at once."""
    return told(recipe.begin(method, **params), QUICK_SECONDS)


def told(task: Task, wait: float = 0.0) -> TaskReply:
    """Return how far work is."""
    try:
        result = task.call.result(wait)
    except TimeoutError:
        return TaskReply(task=task.id, method=task.method, state="running", progress=task.progress, result=None)
    return TaskReply(task=task.id, method=task.method, state="done", progress=task.progress, result=result)
