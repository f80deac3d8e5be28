"""Folders with a `predict` entry point: code of their own, which runs only with ``trust=True``.

``predict.py`` at the top of the folder defines one of

- ``predict(rows)``, which returns the predictions for a DataFrame or an array;
- ``load(folder)``, which returns an object with a ``predict`` method (and ``predict_proba`` and ``classes_``, if it has
  them). `folder` is the path of the folder, which stays while the model lives.

Modules beside it are imported by their names at the top of ``predict.py``.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError, InvalidDataError
from kernel_tools.registry.formats._base import SavedModel

ENTRY_POINT = "predict.py"


class PredictFunction:
    """A model that is one function, ``predict(rows)``."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def predict(self, rows: Any) -> Any:
        """Return what the folder's own `predict` returns."""
        return self.module.predict(rows)


class PythonFolderFormat:
    """Any folder whose ``predict.py`` says how to predict."""

    name = "python-folder"
    keeps_folder = True

    def can_save(self, model: object) -> bool:
        """No object is kept as code; `register_files` keeps folders."""
        return False

    def save(self, model: object, folder: Path, sample: object | None) -> SavedModel:
        """Refuse: this format keeps folders only."""
        raise InvalidArgumentError(
            "Code is registered as a folder: kernel_tools.registry.register_files(name, folder)."
        )

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Whether there is a ``predict.py`` at the top."""
        return ENTRY_POINT in paths

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Read ``predict.py`` without running it, and check that it defines an entry point."""
        path = folder / ENTRY_POINT
        if not path.is_file():
            raise InvalidArgumentError(f"The folder has no {ENTRY_POINT}: write one that defines predict(rows).")
        try:
            body = ast.parse(path.read_bytes()).body
        except (SyntaxError, ValueError) as error:
            raise InvalidArgumentError(f"{ENTRY_POINT} is not valid Python: {error}.") from error
        defined = {item.name for item in body if isinstance(item, ast.FunctionDef)}
        if not defined & {"predict", "load"}:
            raise InvalidArgumentError(
                f"{ENTRY_POINT} defines neither predict(rows) nor load(folder): write the one that suits the model."
            )
        return SavedModel(self.name, model_class or "predict", untrusted_types=[ENTRY_POINT], has_code=True)

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Run ``predict.py`` and return the model.

        Raises
        ------
        ForbiddenError
            Unless `trust` is given.
        InvalidDataError
            If the code fails, or `load` returns something that cannot predict.
        """
        if not trust:
            raise ForbiddenError(
                f"The model is a folder with code of its own ({ENTRY_POINT}), which runs when it is loaded. If you "
                "know where it comes from, load it with trust=True."
            )
        try:
            module = _import(folder)
            model: Any = module.load(folder) if hasattr(module, "load") else PredictFunction(module)
        except Exception as error:
            raise InvalidDataError(f"{ENTRY_POINT} failed with {type(error).__name__}: {error}.") from error
        if not callable(getattr(model, "predict", None)):
            raise InvalidDataError(f"load(folder) of {ENTRY_POINT} returned {type(model).__name__}, without predict.")
        return model


def _import(folder: Path) -> ModuleType:
    """Run the entry point as a module of its own; modules of the folder are forgotten by name once it has run.

    So two versions in one process may each have a module of the same name.
    """
    name = f"atelier_model_{uuid.uuid4().hex}"
    spec = importlib.util.spec_from_file_location(name, folder / ENTRY_POINT)
    if spec is None or spec.loader is None:
        raise InvalidDataError(f"{ENTRY_POINT} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
        for added in set(sys.modules) - before - {name}:
            origin = getattr(sys.modules[added], "__file__", None)
            if origin and Path(origin).is_relative_to(folder):
                del sys.modules[added]
    return module
