"""Data Wrangler: tables, recipes of steps on them, and what is wrong with the data.

``read(...)`` begins a recipe, ``load(path)`` opens one; ``profile``, ``insights`` and ``show`` look at a table alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernel_tools.wrangler.looking import analyze as analyze
    from kernel_tools.wrangler.looking import insights as insights
    from kernel_tools.wrangler.looking import profile as profile
    from kernel_tools.wrangler.looking import wrangle as wrangle
    from kernel_tools.wrangler.reading import load as load
    from kernel_tools.wrangler.reading import read as read
    from kernel_tools.wrangler.recipe import Recipe as Recipe
    from kernel_tools.wrangler.widget import show as show

_PLACES = {
    "Recipe": "recipe",
    "analyze": "looking",
    "insights": "looking",
    "load": "reading",
    "profile": "looking",
    "read": "reading",
    "show": "widget",
    "wrangle": "looking",
}

__all__ = ["Recipe", "analyze", "insights", "load", "operators", "profile", "read", "show", "wrangle"]


def operators() -> list[str]:
    """Return the names of all steps that a recipe may have; each is a method of `Recipe`."""
    from kernel_tools.wrangler.operators import OPERATORS

    return sorted(OPERATORS)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
