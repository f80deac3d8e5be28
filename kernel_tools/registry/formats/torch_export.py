"""torch modules as exported programs: a graph of ATen operators and weights, inspected before torch reads it.

`torch.export.load` falls back to pickle, calls any function under ``torch`` that the graph names, and evaluates shape
expressions and guards as Python. A file that asks for any of this is refused here.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import ForbiddenError, IntegrityError, InvalidArgumentError
from kernel_tools.registry.formats._base import (
    SavedModel,
    class_name,
    has_one,
    is_instance_of,
    rename_only_file,
)

SAFE_OPERATORS = "add|sub|mul|truediv|floordiv|mod|pow|neg|eq|ne|lt|le|gt|ge|and_|or_|not_|getitem"
SAFE_TARGET = re.compile(
    rf"torch\.ops\.(aten|prims|higher_order)\.\w+(\.\w+)?|_?operator\.({SAFE_OPERATORS})|math\.\w+|torch\.sym_\w+"
)
SAFE_WORD = re.compile(r"[a-z]+\d+|Mod|FloorDiv|CleanDiv|CeilDiv|PythonMod|Max|Min|Integer|Add|Mul|Pow|True|False")
SYMBOL = re.compile(r"Symbol\('[a-z]+\d+'(, (positive|integer|nonnegative)=True)*\)")
SAFE_EXPRESSION = re.compile(r"[\w\s+*/(),<>=!&|-]*")


class TorchExportFormat:
    """Modules, exported with the sample input and a free batch dimension."""

    name = "torch-export"
    keeps_folder = False

    def can_save(self, model: object) -> bool:
        """Whether this is a torch module."""
        return is_instance_of(model, "torch.nn.modules.module.Module")

    def save(self, model: Any, folder: Path, sample: object | None) -> SavedModel:
        """Export the module in evaluation mode and write ``model.pt2``.

        Raises
        ------
        InvalidArgumentError
            If there is no sample input, or torch cannot export the module.
        """
        import torch

        if sample is None:
            raise InvalidArgumentError(
                f"The torch module {class_name(model)} needs sample_input= (a batch as a tensor or array) to be "
                "exported. "
                "Or register model.state_dict(), which is kept as safetensors."
            )
        values = sample.to_numpy() if hasattr(sample, "to_numpy") else sample
        batch = torch.as_tensor(values)
        if batch.shape[0] == 1:
            batch = torch.cat([batch, batch])
        training = model.training
        try:
            with torch.no_grad():
                program = torch.export.export(model.eval(), (batch,), dynamic_shapes=({0: torch.export.Dim.AUTO},))
        except Exception as error:
            raise InvalidArgumentError(
                f"torch cannot export {class_name(model)}: {str(error).splitlines()[0]}. "
                "Register model.state_dict() instead, which is kept as safetensors."
            ) from error
        finally:
            model.train(training)
        torch.export.save(program, folder / "model.pt2")
        return SavedModel(self.name, class_name(model), ["torch", "numpy"])

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Whether one of the files ends in ``.pt2``."""
        return has_one(paths, ".pt2")

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Inspect the file without loading it, and name it ``model.pt2``."""
        path = rename_only_file(folder, "model.pt2", ".pt2")
        try:
            refuse_code(path)
        except IntegrityError as error:
            raise InvalidArgumentError(str(error)) from error
        except ForbiddenError as error:
            said = str(error).removeprefix("The torch program contains ").split(", which could")[0]
            return SavedModel(self.name, model_class or "torch.nn.Module", ["torch", "numpy"], [said], has_code=True)
        return SavedModel(self.name, model_class or "torch.nn.Module", ["torch", "numpy"])

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the program and return it as a module.

        Raises
        ------
        ForbiddenError
            If the file could execute code when it is loaded or run, and `trust` is False.
        """
        import torch

        path = folder / "model.pt2"
        if not trust:
            refuse_code(path)
        return torch.export.load(path).module(check_guards=False)


def refuse_code(path: Path) -> None:
    """Raise ForbiddenError if an exported program could execute code when torch loads or runs it."""
    import torch

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            strange = [name for name in names if re.search(r"aotinductor|extra/|\.(so|py|pyc|cpp|cubin)$", name)]
            documents = {name: json.loads(archive.read(name)) for name in names if name.endswith(".json")}
            samples = [archive.read(name) for name in names if "/sample_inputs/" in name]
    except (zipfile.BadZipFile, ValueError, KeyError) as error:
        raise IntegrityError(f"{path.name} is not an exported torch program: {error}.") from error
    if strange:
        raise _refusal(f"the compiled or foreign file {strange[0]!r}")
    for document in documents.values():
        for key, value in _walk(document):
            _check(key, value)
    for sample in samples:
        try:
            torch.load(io.BytesIO(sample), weights_only=True)
        except Exception as error:
            raise _refusal("a pickle that is more than tensors, as its sample input") from error


def _check(key: str, value: Any) -> None:
    if key == "use_pickle" and value:
        raise _refusal("pickled weights or constants")
    if key == "target" and isinstance(value, str) and SAFE_TARGET.fullmatch(value) is None:
        raise _refusal(f"a call of {value[:80]!r}")
    if key == "path_name" and isinstance(value, str) and not re.fullmatch(r"(weight|tensor)_\d+", value):
        raise _refusal(f"the object {value[:80]!r}")
    if key in ("expr_str", "hint_expr_str") and isinstance(value, str):
        rest = SYMBOL.sub("s0", value)
        words = re.findall(r"[A-Za-z_]\w*", rest)
        if SAFE_EXPRESSION.fullmatch(rest) is None or not all(SAFE_WORD.fullmatch(word) for word in words):
            raise _refusal(f"the shape expression {value[:80]!r}")


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield from item.items()
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _refusal(what: str) -> ForbiddenError:
    return ForbiddenError(
        f"The torch program contains {what}, which could execute code. If you know where it comes from, load it "
        "with trust=True."
    )
