"""Importing what a model needs, and no more."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


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


def import_for(model_format: str) -> None:
    """Import what reads a model of a format, if that can be done in less than all of its time."""
    if model_format == "skops":
        import_skops()
    elif model_format == "xgboost-ubj":
        import_xgboost()


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


def import_xgboost() -> None:
    """Import XGBoost without scipy.stats and scikit-learn's model selection.

    It imports them for training and cross-validation, and that takes two fifths of its time and a fifth of its memory.
    Whoever uses them gets them: SciPy imports its parts when they are asked for.
    """
    selection = ModuleType("sklearn.model_selection")
    selection.__dict__["StratifiedKFold"] = _stratified_folds
    later = [module for module in (selection, ModuleType("scipy.stats")) if module.__name__ not in sys.modules]
    sys.modules.update({module.__name__: module for module in later})
    try:
        import xgboost  # noqa: F401
    except ImportError:
        return  # loading the model says what is missing
    finally:
        for module in later:
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]


def _stratified_folds(*args: Any, **kwargs: Any) -> Any:
    """What `xgboost.cv` calls."""
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(*args, **kwargs)
