"""A graph of ONNX nodes as it grows, and what its tensors mean.

Nothing is in the graph twice: asked for the same node again, it returns the tensor that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kernel_tools.core.errors import MissingExtraError
from kernel_tools.wrangler.lowering.onnx_spelling import Spelling

if TYPE_CHECKING:
    import numpy as np
    import onnx

OPSET, ML_OPSET, IR_VERSION = 21, 4, 10
"""Of the graphs that are made here; ONNX Runtime knows them since 1.18."""

MISSING_TEXT = "␀"
"""The text that stands for a missing text: U+2400, the picture of NUL."""
MISSING_MOMENT = -(2**63)
"""The int64 that stands for a missing date or date-time; NumPy's NaT."""

Kind = Literal["number", "text", "moment"]
_TYPES: dict[Kind, str] = {"number": "DOUBLE", "text": "STRING", "moment": "INT64"}


@dataclass(frozen=True)
class Value:
    """A tensor of numbers (double), texts (string) or moments (int64, microseconds since 1970).

    Missing values are NaN, `MISSING_TEXT` and `MISSING_MOMENT`.

    Attributes
    ----------
    width
        How many columns it has: its shape is (rows, width).
    may_miss
        Whether values may be missing.
    is_constant
        Whether it has one row only, that stands for all.
    spelling
        What is still to be done with the letters of a text; None if nothing is.
    """

    kind: Kind
    tensor: str
    width: int = 1
    may_miss: bool = True
    is_constant: bool = False
    spelling: Spelling | None = None


@dataclass(frozen=True)
class Truth:
    """Truth values as two tensors of booleans: where it is true, and where it is false. Elsewhere it is missing.

    The tensors are made when they are asked for: often one of the two is enough.
    """

    true: Callable[[], str]
    false: Callable[[], str]
    width: int = 1
    may_miss: bool = True
    is_constant: bool = False


@dataclass(frozen=True)
class Cell:
    """A column: one of those of a tensor."""

    value: Value | Truth
    index: int = 0


class Graph:
    """Nodes, constants and inputs of a model."""

    def __init__(self) -> None:
        try:
            from onnx import TensorProto, helper, numpy_helper
        except ImportError as error:
            raise MissingExtraError("ONNX", "onnx") from error

        self._helper, self._numpy_helper, self._types = helper, numpy_helper, TensorProto
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: dict[str, onnx.ValueInfoProto] = {}
        self._known: dict[Any, Any] = {}
        self._names: set[str] = set()

    def _name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Return the output of a node."""
        return self.add_many(op, *inputs, outputs=1, domain=domain, **attributes)[0]

    def add_many(self, op: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        """Return the outputs of a node."""
        written = {
            key: value.SerializeToString() if hasattr(value, "SerializeToString") else value
            for key, value in attributes.items()
        }
        key = (op, inputs, outputs, tuple(sorted(written.items())))
        if key not in self._known:
            names = [self._name(f"_{op}") for _ in range(outputs)]
            self._nodes.append(self._helper.make_node(op, list(inputs), names, domain=domain, **attributes))
            self._known[key] = names
        found: list[str] = self._known[key]
        return found

    def constant(self, array: np.ndarray[Any, Any]) -> str:
        """Return a constant as a tensor."""
        content = tuple(array.ravel()) if array.dtype == object else array.tobytes()
        key = (str(array.dtype), array.shape, content)
        if key not in self._known:
            name = self._name("_constant")
            self._constants.append(self._numpy_helper.from_array(array, name))
            self._known[key] = name
        found: str = self._known[key]
        return found

    def tensor(self, array: np.ndarray[Any, Any]) -> Any:
        """Return an array as the value of an attribute."""
        return self._numpy_helper.from_array(array)

    def cast(self, tensor: str, to: str) -> str:
        """Return a tensor in another type, named as in ``DOUBLE``."""
        return self.add("Cast", tensor, to=getattr(self._types, to))

    def input(self, name: str, kind: Kind) -> str:
        """Return the input of a source column."""
        if name not in self._inputs:
            self._inputs[name] = self._info(name, _TYPES[kind], 1)
        return name

    def rows(self) -> str | None:
        """Return the shape (rows, 1) as a tensor, None if there is no input yet."""
        return self.add("Shape", next(iter(self._inputs))) if self._inputs else None

    def model(self, outputs: Sequence[tuple[str, str, str, int]], metadata: dict[str, str]) -> onnx.ModelProto:
        """Return the model; nodes that no output needs are left out.

        Parameters
        ----------
        outputs
            Their names, tensors, types (as in ``DOUBLE``) and widths.
        metadata
            Texts that are kept with it.
        """
        wanted, kept = {tensor for _, tensor, _, _ in outputs}, []
        for node in reversed(self._nodes):
            if wanted.intersection(node.output):
                wanted.update(node.input)
                kept.append(node)
        graph = self._helper.make_graph(
            [*kept[::-1], *self._named(outputs, kept)],
            "recipe",
            [info for name, info in self._inputs.items() if name in wanted],
            [self._info(name, dtype, width) for name, _, dtype, width in outputs],
            [constant for constant in self._constants if constant.name in wanted],
        )
        opsets = [self._helper.make_opsetid("", OPSET), self._helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        model: onnx.ModelProto = self._helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="atelier"
        )
        self._helper.set_model_props(model, metadata)
        return model

    def _named(self, outputs: Sequence[tuple[str, str, str, int]], kept: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
        """Rename the tensors of the outputs; return nodes for those that have another name already."""
        made = {tensor for node in kept for tensor in node.output}
        names: dict[str, str] = {}
        copies = []
        for name, tensor, _, _ in outputs:
            if tensor in made and tensor not in names:
                names[tensor] = name
            else:
                copies.append(self._helper.make_node("Identity", [tensor], [name]))
        for node in [*kept, *copies]:
            node.input[:] = [names.get(tensor, tensor) for tensor in node.input]
            node.output[:] = [names.get(tensor, tensor) for tensor in node.output]
        return copies

    def _info(self, name: str, dtype: str, width: int) -> onnx.ValueInfoProto:
        return self._helper.make_tensor_value_info(name, getattr(self._types, dtype), ["rows", width])
