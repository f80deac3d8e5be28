"""Rules for what is true or false. A comparison with a missing value is neither."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.operations as ops
import numpy as np

from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.onnx_graph import Cell, Truth, Value
from kernel_tools.wrangler.lowering.onnx_values import Group, constant_of, rule, width_of


def truth_of(
    at: Group, values: Sequence[Value | Truth], true: str, false: str | None = None, *, may_miss: bool | None = None
) -> Truth:
    """Return a truth that was computed from values.

    Parameters
    ----------
    true, false
        The tensors, false only where it has to be told from missing; None makes it the opposite where values are there.
    """
    misses = any(value.may_miss for value in values) if may_miss is None else may_miss

    def is_false() -> str:
        if false is not None:
            return false
        opposite = at.graph.add("Not", true)
        for value in values if misses else ():
            if isinstance(value, Value) and value.may_miss:
                opposite = at.graph.add("And", opposite, at.lowering.is_there(value))
        return opposite

    return Truth(
        lambda: true, is_false, width_of(values), misses, is_constant=all(value.is_constant for value in values)
    )


@rule(ops.Equals, ops.NotEquals)
def equality(at: Group) -> Truth:
    """One node for most comparisons with a constant."""
    found = at["left"]
    if isinstance(found, Value) and found.spelling is not None:
        return _equal_spelling(at, found)
    left, right = at.lowering.number(found), at.value("right")
    equal = at.graph.add("Equal", left.tensor, right.tensor)
    if left.kind != "number" and left.may_miss and right.may_miss:
        equal = at.graph.add("And", equal, at.lowering.is_there(left))
    truth = truth_of(at, [left, right], equal)
    return truth if isinstance(at.node, ops.Equals) else _opposite(truth)


def _equal_spelling(at: Group, left: Value) -> Truth:
    from kernel_tools.wrangler.lowering.onnx_rules.texts import is_one_of

    if len(at.nodes) > 1:
        return at.lowering.truth(at.lowering.side_by_side([Cell(at.lowering.lower([node])) for node in at.nodes]))
    if not isinstance(at.node.right, ops.Literal) or at.node.right.value is None:
        raise UnsupportedError("text whose letters or ends are changed can only be compared with text that is written")
    truth = is_one_of(at, left, [at.node.right.value])
    return truth if isinstance(at.node, ops.Equals) else _opposite(truth)


def _opposite(truth: Truth) -> Truth:
    return Truth(truth.false, truth.true, truth.width, truth.may_miss, truth.is_constant)


_ORDER = {
    ops.Less: ("Less", "GreaterOrEqual"),
    ops.LessEqual: ("LessOrEqual", "Greater"),
    ops.Greater: ("Greater", "LessOrEqual"),
    ops.GreaterEqual: ("GreaterOrEqual", "Less"),
}


@rule(*_ORDER)
def comparison(at: Group) -> Truth:
    """One node for numbers: no comparison with NaN is true. Moments are looked at for missing ones."""
    return _compared(at, at.value("left"), at.value("right"), *_ORDER[type(at.node)])


def _compared(at: Group, left: Value, right: Value, is_so: str, is_not: str) -> Truth:
    if left.kind == "text":
        raise UnsupportedError("texts have no order in a graph")

    def compared(op: str) -> str:
        tensor = at.graph.add(op, left.tensor, right.tensor)
        for value in (left, right):
            if value.kind == "moment" and value.may_miss:
                tensor = at.graph.add("And", tensor, at.lowering.is_there(value))
        return tensor

    return Truth(
        lambda: compared(is_so),
        lambda: compared(is_not),
        width_of([left, right]),
        left.may_miss or right.may_miss,
        left.is_constant and right.is_constant,
    )


@rule(ops.Between)
def between(at: Group) -> Truth:
    """Two comparisons."""
    value, low, high = at.value("arg"), at.value("lower_bound"), at.value("upper_bound")
    return _both(
        at, _compared(at, value, low, *_ORDER[ops.GreaterEqual]), _compared(at, value, high, *_ORDER[ops.LessEqual])
    )


def _both(at: Group, left: Truth, right: Truth) -> Truth:
    return Truth(
        lambda: at.graph.add("And", left.true(), right.true()),
        lambda: at.graph.add("Or", left.false(), right.false()),
        width_of([left, right]),
        left.may_miss or right.may_miss,
        left.is_constant and right.is_constant,
    )


@rule(ops.And)
def conjunction(at: Group) -> Truth:
    """Both true; false if one is."""
    return _both(at, at.truth("left"), at.truth("right"))


@rule(ops.Or)
def disjunction(at: Group) -> Truth:
    """One true; false if both are."""
    return _opposite(_both(at, _opposite(at.truth("left")), _opposite(at.truth("right"))))


@rule(ops.Not)
def negation(at: Group) -> Truth:
    """The opposite."""
    return _opposite(at.truth("arg"))


@rule(ops.IsNull, ops.NotNull)
def nullness(at: Group) -> Truth:
    """Whether a value is missing."""
    value = at["arg"]

    def is_there() -> str:
        if isinstance(value, Truth):
            return at.graph.add("Or", value.true(), value.false())
        return at.lowering.is_there(value)

    def is_missing() -> str:
        return at.graph.add("Not", is_there()) if isinstance(value, Truth) else at.lowering.is_missing(value)

    if not value.may_miss and value.width == 1 and value.is_constant:
        return at.lowering.truths([isinstance(at.node, ops.NotNull)])
    missing = Truth(is_missing, is_there, value.width, may_miss=False, is_constant=value.is_constant)
    return missing if isinstance(at.node, ops.IsNull) else _opposite(missing)


@rule(ops.InValues, single=True)
def in_values(at: Group) -> Truth:
    """A look into a table of the values."""
    from kernel_tools.wrangler.lowering.onnx_rules.texts import is_one_of

    options = list(at.node.options)
    if not all(isinstance(option, ops.Literal) for option in options):
        raise UnsupportedError("the values that a column is looked for in have to be written out")
    there = [option for option in options if option.value is not None]
    has_missing = len(there) < len(options)
    found = at["value"]
    if isinstance(found, Value) and found.spelling is not None and not has_missing:
        return is_one_of(at, found, [option.value for option in there])
    value = at.lowering.number(found)
    keys = [constant_of(option.value, value.kind) for option in there]
    if not keys:
        is_in = at.graph.add("And", at.lowering.is_missing(value), at.lowering.is_there(value))
    elif len(keys) == 1:
        is_in = at.graph.add("Equal", value.tensor, at.lowering.constant(value.kind, keys).tensor)
    else:
        table = at.lowering.constant(value.kind, keys).tensor
        equal = at.graph.cast(at.graph.add("Equal", value.tensor, table), "INT32")
        axis = at.graph.constant(np.array([1]))
        is_in = at.graph.cast(at.graph.add("ReduceMax", equal, axis, keepdims=1), "BOOL")
    if not has_missing:
        return truth_of(at, [value], is_in)
    nowhere = at.graph.add("And", is_in, at.graph.add("Not", is_in))
    return truth_of(at, [value], is_in, nowhere, may_miss=True)
