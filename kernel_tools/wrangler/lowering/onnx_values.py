"""Expressions as tensors of a graph: what every rule works with.

Expressions that differ only in their columns and constants are lowered together, as one tensor with a column for each:
ten columns that are scaled cost two nodes, and so do a hundred categories of a one-hot encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.onnx_graph import MISSING_MOMENT, MISSING_TEXT, Cell, Graph, Kind, Truth, Value

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.operations as ops

KINDS: dict[str, Kind] = {"number": "number", "string": "text", "date": "moment", "datetime": "moment"}
MISSING: dict[Kind, Any] = {"number": np.nan, "text": MISSING_TEXT, "moment": MISSING_MOMENT}
_ARRAYS: dict[Kind, Any] = {"number": np.float64, "text": object, "moment": np.int64}

Rule = Callable[["Group"], Value | Truth]
RULES: dict[type[ops.Node], Rule] = {}
"""How an operation is lowered, by its class."""
SINGLE: set[type[ops.Node]] = set()
"""Operations that are lowered one by one."""


def rule(*operations: type[ops.Node], single: bool = False) -> Callable[[Rule], Rule]:
    """Declare a function as the rule of operations; `single` if it takes one expression at a time."""

    def declare(function: Rule) -> Rule:
        for operation in operations:
            RULES[operation] = function
            if single:
                SINGLE.add(operation)
        return function

    return declare


class Lowering:
    """Makes tensors of expressions.

    Parameters
    ----------
    graph
        Where the nodes go.

    Attributes
    ----------
    cells
        The columns of the relations that expressions look at; `onnx_tables` fills it.
    written
        The values of constants, by their tensors.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.cells: dict[ops.Relation, dict[str, Cell]] = {}
        self.written: dict[str, list[Any]] = {}

    def lower(self, nodes: Sequence[ops.Node]) -> Value | Truth:
        """Return expressions as the columns of one tensor; of equal ones only one.

        Raises
        ------
        UnsupportedError
            If there is no rule for an operation.
        """
        import ibis.expr.operations as ops

        first = nodes[0]
        if all(node == first for node in nodes):
            nodes = [first]
        kind = type(first)
        if isinstance(first, ops.Field) and all(isinstance(node, ops.Field) for node in nodes):
            return self.joined([self.cells[node.rel][node.name] for node in nodes])
        if isinstance(first, ops.WindowFunction):
            raise UnsupportedError("it looks at other rows")
        if len(nodes) > 1 and (kind in SINGLE or any(type(node) is not kind for node in nodes)):
            return self.joined([Cell(self.lower([node])) for node in nodes])
        if kind not in RULES:
            raise UnsupportedError(f"there is no rule for {kind.__name__}")
        return RULES[kind](Group(self, nodes))

    # ---- Columns of tensors ----

    def joined(self, cells: Sequence[Cell]) -> Value | Truth:
        """Return columns side by side as one tensor; of equal ones only one."""
        return self.side_by_side(cells[:1] if all(cell == cells[0] for cell in cells) else cells)

    def side_by_side(self, cells: Sequence[Cell]) -> Value | Truth:
        """Return columns as one tensor, as many as they are."""
        first = cells[0].value
        if all(cell.value is first for cell in cells):
            return self._taken(first, [cell.index for cell in cells])
        parts: list[Value | Truth] = []
        runs: list[tuple[Value | Truth, list[int]]] = []
        for cell in cells:
            if runs and runs[-1][0] is cell.value:
                runs[-1][1].append(cell.index)
            else:
                runs.append((cell.value, [cell.index]))
        parts = [self.spread(self._taken(value, indices)) for value, indices in runs]
        truths = [part for part in parts if isinstance(part, Truth)]
        if len(truths) == len(parts):
            return self._joined_truths(truths)
        values = [self.number(part) for part in parts]
        return Value(
            values[0].kind,
            self.graph.add("Concat", *(value.tensor for value in values), axis=1),
            width=len(cells),
            may_miss=any(value.may_miss for value in values),
        )

    def _joined_truths(self, parts: Sequence[Truth]) -> Truth:
        return Truth(
            lambda: self.graph.add("Concat", *(part.true() for part in parts), axis=1),
            lambda: self.graph.add("Concat", *(part.false() for part in parts), axis=1),
            width=sum(part.width for part in parts),
            may_miss=any(part.may_miss for part in parts),
        )

    def _taken(self, value: Value | Truth, indices: list[int]) -> Value | Truth:
        """Return some columns of a tensor."""
        if indices == list(range(value.width)):
            return value

        def taken(tensor: str) -> str:
            return self.graph.add("Gather", tensor, self.graph.constant(np.array(indices)), axis=1)

        if isinstance(value, Value):
            return replace(value, tensor=taken(value.tensor), width=len(indices))
        return replace(value, true=lambda: taken(value.true()), false=lambda: taken(value.false()), width=len(indices))

    def spread(self, value: Value | Truth) -> Value | Truth:
        """Return a value with as many rows as the input has."""
        rows = self.graph.rows()
        if not value.is_constant or rows is None:
            return value

        def spread(tensor: str) -> str:
            return self.graph.add("Expand", tensor, rows)

        if isinstance(value, Value):
            return replace(value, tensor=spread(value.tensor), is_constant=False)
        return replace(value, true=lambda: spread(value.true()), false=lambda: spread(value.false()), is_constant=False)

    # ---- Constants ----

    def constant(self, kind: Kind, values: Sequence[Any]) -> Value:
        """Return a row of constants; None is a missing value."""
        array = np.array([[MISSING[kind] if value is None else value for value in values]], dtype=_ARRAYS[kind])
        tensor = self.graph.constant(array)
        self.written[tensor] = list(values)
        return Value(kind, tensor, len(values), any(value is None for value in values), is_constant=True)

    def truths(self, values: Sequence[bool | None]) -> Truth:
        """Return a row of constant truth values."""
        return Truth(
            lambda: self.graph.constant(np.array([[value is True for value in values]])),
            lambda: self.graph.constant(np.array([[value is False for value in values]])),
            width=len(values),
            may_miss=any(value is None for value in values),
            is_constant=True,
        )

    def missing(self, kind: Kind) -> str:
        """Return the constant of a missing value."""
        return self.constant(kind, [None]).tensor

    # ---- Kinds ----

    def is_missing(self, value: Value) -> str:
        """Return where a value is missing, as a tensor of booleans."""
        if value.kind == "number":
            return self.graph.add("IsNaN", value.tensor)
        return self.graph.add("Equal", value.tensor, self.missing(value.kind))

    def is_there(self, value: Value) -> str:
        """Return where a value is not missing, as a tensor of booleans."""
        return self.graph.add("Not", self.is_missing(value))

    def truth(self, value: Value | Truth) -> Truth:
        """Return numbers as truth values: 1 is true, 0 is false."""
        if isinstance(value, Truth):
            return value
        return Truth(
            lambda: self.graph.add("Equal", value.tensor, self.constant("number", [1.0]).tensor),
            lambda: self.graph.add("Equal", value.tensor, self.constant("number", [0.0]).tensor),
            value.width,
            value.may_miss,
            value.is_constant,
        )

    def number(self, value: Value | Truth) -> Value:
        """Return truth values as numbers: 1 and 0.

        Raises
        ------
        UnsupportedError
            If it is text whose letters would have to be changed now.
        """
        if isinstance(value, Value):
            if value.spelling is not None:
                raise UnsupportedError("a graph can compare text whose letters or ends are changed, not return it")
            return value
        tensor = self.graph.cast(value.true(), "DOUBLE")
        if value.may_miss:
            known = self.graph.add("Or", value.true(), value.false())
            tensor = self.graph.add("Where", known, tensor, self.missing("number"))
        return Value("number", tensor, value.width, value.may_miss, value.is_constant)


class Group:
    """Expressions of one operation, that a rule makes one tensor of."""

    def __init__(self, lowering: Lowering, nodes: Sequence[Any]) -> None:
        self.lowering, self.nodes, self.node = lowering, nodes, nodes[0]
        self.graph = lowering.graph

    def argument(self, name: str) -> list[ops.Node]:
        """Return an argument of each expression."""
        return [getattr(node, name) for node in self.nodes]

    def __getitem__(self, name: str) -> Value | Truth:
        """Return an argument as a tensor."""
        return self.lowering.lower(self.argument(name))

    def number(self, name: str) -> Value:
        """Return an argument as numbers.

        Raises
        ------
        UnsupportedError
            If it is text or a moment.
        """
        value = self.lowering.number(self[name])
        if value.kind != "number":
            raise UnsupportedError(f"{type(self.node).__name__} of {value.kind}s has no rule")
        return value

    def value(self, name: str) -> Value:
        """Return an argument as it is, truth values as numbers."""
        return self.lowering.number(self[name])

    def truth(self, name: str) -> Truth:
        """Return an argument as truth values."""
        return self.lowering.truth(self[name])

    def made(self, op: str, *values: Value, kind: Kind = "number", may_miss: bool | None = None, **more: Any) -> Value:
        """Return the values of a node whose inputs are values."""
        tensor = self.graph.add(op, *(value.tensor for value in values), **more)
        return self.like(tensor, *values, kind=kind, may_miss=may_miss)

    def like(self, tensor: str, *values: Value | Truth, kind: Kind = "number", may_miss: bool | None = None) -> Value:
        """Return a tensor that was computed from values: as wide as the widest, missing where one may be."""
        return Value(
            kind,
            tensor,
            width_of(values),
            any(value.may_miss for value in values) if may_miss is None else may_miss,
            all(value.is_constant for value in values),
        )


def width_of(values: Sequence[Value | Truth]) -> int:
    """Return the width of a tensor computed from values."""
    return max(value.width for value in values)


def tensor_kind(dtype: dt.DataType) -> Kind:
    """Return what a column of an Ibis type is in a graph; truth values are numbers.

    Raises
    ------
    UnsupportedError
        If it is nothing.
    """
    if dtype.is_boolean() or dtype.is_null():
        return "number"
    kind = kind_of(dtype)
    if kind not in KINDS or dtype.is_uuid() or dtype.is_json():
        raise UnsupportedError(f"columns of the type {dtype} have no form in ONNX")
    return KINDS[kind]


def constant_of(value: Any, kind: Kind) -> Any:
    """Return a value of Python as a tensor of the kind holds it; None stays."""
    if value is None:
        return None
    if kind == "moment":
        return microseconds(value)
    return str(value) if kind == "text" else float(value)


def microseconds(value: date) -> int:
    """Return a date or date-time as microseconds since 1970."""
    if not isinstance(value, datetime):
        return (value.toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000_000
    since = (value if value.tzinfo else value.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def shape_of(node: ops.Node) -> Any:
    """Return what is the same in expressions that can be lowered together."""
    import ibis.expr.operations as ops

    if isinstance(node, ops.Literal):
        return "literal", kind_of(node.dtype)
    if isinstance(node, ops.Field):
        return "field", kind_of(node.dtype)
    if type(node) in SINGLE:
        return node
    return type(node), tuple(_shape_of_argument(argument) for argument in node.args)


def _shape_of_argument(argument: Any) -> Any:
    import ibis.expr.operations as ops

    if isinstance(argument, ops.Node):
        return shape_of(argument)
    if isinstance(argument, tuple):
        return tuple(_shape_of_argument(one) for one in argument)
    return argument
