"""Faces: packages whose names are loaded when they are first used, so that importing one costs next to nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_face(package: str, places: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package.

    Parameters
    ----------
    package
        The package's name.
    places
        For each module of the package the names that it gives to the face, separated by spaces; `name=attribute` where
        it is called otherwise there. A name must not be that of a module of the package: importing the module would
        hide it.

    Examples
    --------
    >>> __getattr__, __dir__ = lazy_face(__name__, {"records": "VersionRecord VersionStatus"})  # doctest: +SKIP
    """
    found: dict[str, tuple[str, str]] = {}
    for module, names in places.items():
        for entry in names.split():
            name, _, attribute = entry.partition("=")
            found[name] = module, attribute or name

    def load(name: str) -> Any:
        if name not in found:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has: {', '.join(sorted(found))}")
        module, attribute = found[name]
        value = getattr(importlib.import_module(f"{package}.{module}"), attribute)
        setattr(sys.modules[package], name, value)
        return value

    return load, lambda: sorted(found)
