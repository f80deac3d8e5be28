"""Importing what a model needs, and no more."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Hidden(MetaPathFinder):
    """Says of some modules that they are not there."""

    _NAMES = ("torch", "pytest", "sklearn.externals.array_api_compat.torch")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise ImportError for what is hidden."""
        if fullname in self._NAMES:
            raise ImportError(f"{fullname} is not imported for skops")
        return None


def import_skops() -> None:
    """Import skops without torch and pytest.

    It walks through all modules of scikit-learn to list the estimators, among them a bridge to torch and the tests'
    tools. Without those the list is the same; a worker starts a third earlier and has half the memory.
    """
    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        import skops.io  # noqa: F401
    except ImportError:
        return  # loading the model says what is missing
    finally:
        sys.meta_path.remove(hidden)
