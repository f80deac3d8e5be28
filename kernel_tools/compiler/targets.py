"""Targets: what a graph is compiled to. One that another room or package brings is provided at the seam `SEAM`."""

from __future__ import annotations

import dataclasses
import io
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, Protocol

from kernel_tools.compiler.graphs import check_model
from kernel_tools.compiler.quick_rows import Feeds
from kernel_tools.compiler.sources import Conversion
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.seams import providers

SEAM = "compiler_targets"
AUTO = "auto"
_DENSE = frozenset({"Conv", "ConvTranspose", "MatMul", "Gemm"})
CALIBRATION_BATCH = 32
CALIBRATION_ROWS = 512


class Target(Protocol):
    """Makes of a graph what a package holds."""

    name: str
    is_exact: bool
    """Whether its answers must be those of the original within the tolerance; else the accuracy decides."""

    def suits(self, conversion: Conversion) -> bool:
        """Say whether there is anything to gain."""

    def build(self, conversion: Conversion, sample: Feeds) -> Conversion:
        """Return what the package holds; `sample` are the inputs of all rows of the sample."""


class OnnxTarget:
    """The graph for ONNX Runtime."""

    name = "onnx"
    is_exact = True

    def suits(self, conversion: Conversion) -> bool:
        """See `Target`."""
        return True

    def build(self, conversion: Conversion, sample: Feeds) -> Conversion:
        """See `Target`."""
        check_model(conversion.model)
        return conversion


class QuantizedTarget:
    """Weights and activations as 8-bit integers, whose ranges are taken from the sample (static quantization)."""

    name = "onnx-int8"
    is_exact = False

    def suits(self, conversion: Conversion) -> bool:
        """Whether there are convolutions or products of matrices; trees have none."""
        operators = {node.op_type for node in conversion.model.graph.node}
        return bool(operators & _DENSE) and len(conversion.feeds) == 1 and conversion.feeds[0].dtype == "float32"

    def build(self, conversion: Conversion, sample: Feeds) -> Conversion:
        """See `Target`."""
        import onnx
        from onnxruntime.quantization import QuantFormat, QuantType, quant_pre_process, quantize_static

        check_model(conversion.model)
        with tempfile.TemporaryDirectory(prefix="atelier-compile-") as folder, redirect_stderr(io.StringIO()):
            given, prepared, made = (Path(folder) / name for name in ("given.onnx", "prepared.onnx", "made.onnx"))
            onnx.save(conversion.model, given)
            quant_pre_process(str(given), str(prepared))
            quantize_static(
                str(prepared),
                str(made),
                _Batches(sample),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,  # without VNNI, 8-bit products of 8-bit sums saturate
            )
            model = onnx.load(made)
        check_model(model)
        return dataclasses.replace(conversion, model=model, precision="int8")


class _Batches:
    """Hands the sample to the calibration in small batches."""

    def __init__(self, sample: Feeds) -> None:
        rows = min(CALIBRATION_ROWS, len(next(iter(sample.values()))))
        self._batches = iter(
            [
                {name: array[start : start + CALIBRATION_BATCH] for name, array in sample.items()}
                for start in range(0, rows, CALIBRATION_BATCH)
            ]
        )

    def get_next(self) -> dict[str, Any] | None:
        """Return the next batch, None after the last."""
        return next(self._batches, None)


_TARGETS: tuple[Target, ...] = (OnnxTarget(), QuantizedTarget())


def list_targets() -> list[Target]:
    """Return all targets."""
    return [*_TARGETS, *providers(SEAM).values()]


def choose_targets(name: str) -> Sequence[Target]:
    """Return the target of a name, or all for ``auto``; InvalidArgumentError if there is none."""
    targets = list_targets()
    chosen = targets if name == AUTO else [target for target in targets if target.name == name]
    if not chosen:
        known = ", ".join([AUTO, *(target.name for target in targets)])
        raise InvalidArgumentError(f"There is no target {str(name)[:80]!r}. Use one of {known}.")
    return chosen
