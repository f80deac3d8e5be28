"""Seams: places where a lower room asks the rooms above it, which it does not import.

The upper room provides something under the seam's name; the lower room asks for all that was provided. A provider may
be named by its address, ``"module:attribute"``, or ``"module:"`` for a whole module: then its room is imported when the
seam is first asked, and not before. What a provider must be able to do is said by the room that asks.
"""

from __future__ import annotations

import importlib
from typing import Any

_PROVIDERS: dict[str, dict[str, Any]] = {}


def provide(seam: str, name: str, provider: Any) -> None:
    """Provide something at a seam.

    Parameters
    ----------
    seam
        The seam, such as ``lineage``.
    name
        Who provides it; a second provider of the same name takes the place of the first.
    provider
        The thing itself, or its address as ``"module:attribute"``.
    """
    _PROVIDERS.setdefault(seam, {})[name] = provider


def withdraw(seam: str, name: str) -> None:
    """Take a provider away; nothing happens if there is none."""
    _PROVIDERS.get(seam, {}).pop(name, None)


def providers(seam: str) -> dict[str, Any]:
    """Return everything that is provided at a seam, by name; modules are imported as needed."""
    found = _PROVIDERS.get(seam, {})
    for name, provider in list(found.items()):
        if isinstance(provider, str):
            module, _, attribute = provider.partition(":")
            room = importlib.import_module(module)
            found[name] = getattr(room, attribute) if attribute else room
    return dict(found)
