"""Dictionaries of torch tensors (state dicts) as safetensors: numbers and names, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.registry.formats._base import SavedModel, has_one, is_instance_of, rename_only_file


class SafetensorsFormat:
    """State dicts; `load` gives the dictionary back, the caller brings the architecture."""

    name = "safetensors"
    keeps_folder = False

    def can_save(self, model: object) -> bool:
        """Whether this is a non-empty dictionary of torch tensors."""
        return (
            isinstance(model, dict)
            and len(model) > 0
            and all(isinstance(key, str) and is_instance_of(value, "torch.Tensor") for key, value in model.items())
        )

    def save(self, model: Any, folder: Path, sample: object | None) -> SavedModel:
        """Write ``model.safetensors``."""
        from safetensors.torch import save_file

        save_file(
            {key: value.detach().cpu().contiguous().clone() for key, value in model.items()},
            folder / "model.safetensors",
        )
        return SavedModel(self.name, "builtins.dict", ["torch", "safetensors"])

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Whether one of the files ends in ``.safetensors``."""
        return has_one(paths, ".safetensors")

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Check the file's header and name it ``model.safetensors``."""
        from safetensors import SafetensorError, safe_open

        path = rename_only_file(folder, "model.safetensors", ".safetensors")
        try:
            with safe_open(path, framework="pt") as file:
                file.keys()
        except SafetensorError as error:
            raise InvalidArgumentError(f"{path.name} is not a safetensors file: {error}.") from error
        return SavedModel(self.name, "builtins.dict", ["torch", "safetensors"])

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the tensors, on the CPU."""
        from safetensors.torch import load_file

        return load_file(folder / "model.safetensors")
