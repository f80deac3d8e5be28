"""Folders with `inference.py`, as SageMaker's containers take them: code that an endpoint runs in a process of its own.

``inference.py`` stands at the top of the folder or in its folder ``code``, with ``requirements.txt`` beside it if the
code needs libraries that are not here. `kernel_tools.hosting` says which functions it may define.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError
from kernel_tools.registry.formats._base import SavedModel

SCRIPT = "inference.py"
PLACES = (f"code/{SCRIPT}", SCRIPT)
FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")


@dataclass
class InferenceScript:
    """The folder of such a model; its code runs where it is deployed, not here."""

    folder: Path


class InferenceScriptFormat:
    """Any folder whose ``inference.py`` defines SageMaker's functions."""

    name = "inference-script"
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
        """Whether there is an ``inference.py``."""
        return any(place in paths for place in PLACES)

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Read ``inference.py`` without running it, and check that it defines one of the functions."""
        found = next((place for place in PLACES if (folder / place).is_file()), None)
        if found is None:
            raise InvalidArgumentError(f"The folder has no {SCRIPT}, nor {PLACES[0]}: write one that defines model_fn.")
        try:
            body = ast.parse((folder / found).read_bytes()).body
        except (SyntaxError, ValueError) as error:
            raise InvalidArgumentError(f"{found} is not valid Python: {error}.") from error
        defined = {item.name for item in body if isinstance(item, ast.FunctionDef)}
        if not defined & {"model_fn", "transform_fn"}:
            raise InvalidArgumentError(
                f"{found} defines neither model_fn(model_dir) nor transform_fn(model, body, content_type, accept): "
                "write the one that suits the model."
            )
        functions = [name for name in FUNCTIONS if name in defined]
        return SavedModel(self.name, model_class or ", ".join(functions), untrusted_types=[found], has_code=True)

    def load(self, folder: Path, model_class: str, *, trust: bool) -> InferenceScript:
        """Return where the folder is; nothing of it runs.

        Raises
        ------
        ForbiddenError
            Unless `trust` is given.
        """
        if not trust:
            raise ForbiddenError(
                f"The model is a folder with code of its own ({SCRIPT}), which runs where it is deployed. If you know "
                "where it comes from, deploy it with trust=True."
            )
        return InferenceScript(folder)
