"""The engine of a compiled package: ONNX Runtime, without the library that the model was made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernel_tools.compiler.runtime import CompiledModel
from kernel_tools.core.errors import InvalidDataError
from kernel_tools.core.signature import Signature
from kernel_tools.hosting.wire.errors import ModelError

QUICK_MICROSECONDS = 1000.0


class CompiledEngine:
    """A package of the compiler, loaded; IntegrityError if it is damaged."""

    def __init__(self, folder: Path) -> None:
        self._model = CompiledModel(folder)
        self.is_quick = self._model.manifest.compiled.row_us < QUICK_MICROSECONDS
        self.read, self.read_table = self._model.read, self._model.read_rows

    @property
    def signature(self) -> Signature:
        """See `Engine`."""
        return self._model.signature

    def predict(self, rows: Any) -> dict[str, Any]:
        """See `Engine`."""
        try:
            return self._model.predict(rows)
        except InvalidDataError as error:
            raise ModelError(str(error)) from error

    def close(self) -> None:
        """Nothing runs beside."""
