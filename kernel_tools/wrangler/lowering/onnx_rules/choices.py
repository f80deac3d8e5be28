"""Rules for choosing between values: by conditions, by tables, by what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import ibis.expr.operations as ops
import numpy as np

from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.onnx_graph import Kind, Truth, Value
from kernel_tools.wrangler.lowering.onnx_spelling import Spelling
from kernel_tools.wrangler.lowering.onnx_values import Group, constant_of, rule, tensor_kind, width_of


def of_kind(at: Group, nodes: Sequence[ops.Node], kind: Kind) -> Value | Truth:
    """Return expressions, constants without a type as missing values of a kind."""
    if all(isinstance(node, ops.Literal) and node.value is None for node in nodes):
        return at.lowering.constant(kind, [None])
    return at.lowering.lower(nodes)


def chosen(at: Group, test: Truth, yes: Value | Truth, no: Value | Truth) -> Value | Truth:
    """Return one value where a test is true, and the other elsewhere."""
    is_constant = test.is_constant and yes.is_constant and no.is_constant
    width, misses = width_of([test, yes, no]), yes.may_miss or no.may_miss
    if at.node.dtype.is_boolean():
        first, second = at.lowering.truth(yes), at.lowering.truth(no)

        def either(one: str, other: str) -> str:
            is_other = at.graph.add("And", at.graph.add("Not", test.true()), other)
            return at.graph.add("Or", at.graph.add("And", test.true(), one), is_other)

        return Truth(
            lambda: either(first.true(), second.true()),
            lambda: either(first.false(), second.false()),
            width, misses, is_constant,
        )  # fmt: skip
    one, other, spelling = _spelled_alike(at, yes, no)
    if one.kind != other.kind:
        raise UnsupportedError(f"{one.kind}s and {other.kind}s cannot be chosen between")
    tensor = at.graph.add("Where", test.true(), one.tensor, other.tensor)
    return Value(one.kind, tensor, width, misses, is_constant, spelling)


def _spelled_alike(at: Group, first: Value | Truth, second: Value | Truth) -> tuple[Value, Value, Spelling | None]:
    """Return two values without a spelling that was put off, and the one that is left for what is made of both."""
    from kernel_tools.wrangler.lowering.onnx_rules.texts import keeps_spelling

    for one, other in ((first, second), (second, first)):
        if isinstance(one, Value) and one.spelling is not None and keeps_spelling(at, one, other):
            plain = [replace(value, spelling=None) for value in (first, second) if isinstance(value, Value)]
            return plain[0], plain[1], one.spelling
    return at.lowering.number(first), at.lowering.number(second), None


@rule(ops.IfElse)
def if_else(at: Group) -> Value | Truth:
    """One node for the choice."""
    kind = tensor_kind(at.node.dtype)
    yes, no = of_kind(at, at.argument("true_expr"), kind), of_kind(at, at.argument("false_null_expr"), kind)
    return chosen(at, at.truth("bool_expr"), yes, no)


@rule(ops.Coalesce)
def coalesce(at: Group) -> Value | Truth:
    """The first value that is there."""
    rows = [node.arg for node in at.nodes]
    kind = tensor_kind(at.node.dtype)
    values = [of_kind(at, [row[place] for row in rows], kind) for place in range(len(rows[0]))]
    found = values[-1]
    for value in reversed(values[:-1]):
        found = _first_there(at, value, found)
    return found


def _first_there(at: Group, value: Value | Truth, other: Value | Truth) -> Value | Truth:
    if not value.may_miss:
        return value
    width, is_constant = width_of([value, other]), value.is_constant and other.is_constant
    if isinstance(value, Truth):
        filler = at.lowering.truth(other)
        return _filled_truth(at, value, filler, width, is_constant)
    there, filler_value, spelling = _spelled_alike(at, value, other)
    tensor = at.graph.add("Where", at.lowering.is_missing(there), filler_value.tensor, there.tensor)
    return Value(there.kind, tensor, width, other.may_miss, is_constant, spelling)


def _filled_truth(at: Group, value: Truth, filler: Truth, width: int, is_constant: bool) -> Truth:
    literals = [node.arg[-1].value if isinstance(node.arg[-1], ops.Literal) else None for node in at.nodes]
    if len(at.node.arg) == 2 and all(literal is False for literal in literals):
        return Truth(value.true, lambda: at.graph.add("Not", value.true()), width, False, is_constant)
    if len(at.node.arg) == 2 and all(literal is True for literal in literals):
        return Truth(lambda: at.graph.add("Not", value.false()), value.false, width, False, is_constant)

    def filled(mine: str, theirs: str) -> str:
        missing = at.graph.add("Not", at.graph.add("Or", value.true(), value.false()))
        return at.graph.add("Or", mine, at.graph.add("And", missing, theirs))

    return Truth(
        lambda: filled(value.true(), filler.true()),
        lambda: filled(value.false(), filler.false()),
        width, filler.may_miss, is_constant,
    )  # fmt: skip


@rule(ops.NullIf)
def null_if(at: Group) -> Value:
    """Missing where two values are equal."""
    from kernel_tools.wrangler.lowering.onnx_rules.texts import is_one_of

    value, other = at["arg"], at.value("null_if_expr")
    spelling = value.spelling if isinstance(value, Value) else None
    if isinstance(value, Value) and spelling is not None:
        texts = at.lowering.written.get(other.tensor)
        if texts is None or len(texts) != 1 or texts[0] is None:
            raise UnsupportedError("text whose letters are changed can only be compared with text that is written")
        equal = is_one_of(at, value, texts).true()
        value = replace(value, spelling=None)
    else:
        value = at.lowering.number(value)
        equal = at.graph.add("Equal", value.tensor, other.tensor)
    tensor = at.graph.add("Where", equal, at.lowering.missing(value.kind), value.tensor)
    return replace(at.like(tensor, value, other, kind=value.kind, may_miss=True), spelling=spelling)


@rule(ops.SearchedCase, single=True)
def searched_case(at: Group) -> Value | Truth:
    """A choice for each condition, from the last to the first; one look into a table for intervals."""
    kind = tensor_kind(at.node.dtype)
    cases, results = list(at.node.cases), list(at.node.results)
    below = _intervals(cases, results)
    found = of_kind(at, [at.node.default], kind)
    for case, result in zip(reversed(cases[below:]), reversed(results[below:]), strict=True):
        test = at.lowering.truth(at.lowering.lower([case]))
        found = chosen(at, test, of_kind(at, [result], kind), found)
    return _interval(at, cases[:below], results[:below], found, kind) if below else found


def _intervals(cases: Sequence[Any], results: Sequence[Any]) -> int:
    """Return how many of the first cases compare one number with edges that rise."""
    count, last = 0, -np.inf
    for case, result in zip(cases, results, strict=True):
        is_edge = isinstance(case, ops.Less) and case.left == cases[0].left and isinstance(case.right, ops.Literal)
        if not is_edge or not isinstance(result, ops.Literal) or not case.left.dtype.is_numeric():
            break
        if result.value is None or isinstance(result.value, bool) or not case.right.value > last:
            break
        count, last = count + 1, case.right.value
    return count if count > 1 else 0


def _interval(
    at: Group, cases: Sequence[Any], results: Sequence[Any], otherwise: Value | Truth, kind: Kind
) -> Value | Truth:
    value = at.lowering.number(at.lowering.lower([cases[0].left]))
    edges = at.lowering.constant("number", [float(case.right.value) for case in cases])
    # How many edges are not above it is the place of its interval; of a missing value 0.
    passed = at.graph.cast(at.graph.add("GreaterOrEqual", value.tensor, edges.tensor), "INT64")
    place = at.graph.add("ReduceSum", passed, at.graph.constant(np.array([1])), keepdims=1)
    table = at.lowering.constant(kind, [*(constant_of(result.value, kind) for result in results), None])
    flat = at.graph.add("Squeeze", table.tensor, at.graph.constant(np.array([0])))
    taken = Value(kind, at.graph.add("Gather", flat, place), may_miss=False, is_constant=value.is_constant)
    last = at.lowering.constant("number", [float(cases[-1].right.value)])
    is_below = Truth(lambda: at.graph.add("Less", value.tensor, last.tensor), lambda: "", is_constant=value.is_constant)
    return chosen(at, is_below, taken, otherwise)


@rule(ops.SimpleCase, single=True)
def simple_case(at: Group) -> Value | Truth:
    """One look into a table; of results that are computed, a choice for each."""
    node, kind = at.node, tensor_kind(at.node.dtype)
    base = at["base"]
    if isinstance(base, Value) and base.spelling is not None:
        return _compared_case(at, base, kind)
    base = at.lowering.number(base)
    literals = [*node.cases, *node.results]
    if not all(isinstance(one, ops.Literal) and one.value is not None for one in literals) or kind == "moment":
        return _compared_case(at, base, kind)
    keys = [constant_of(case.value, base.kind) for case in node.cases]
    results = [constant_of(result.value, kind) for result in node.results]
    first: dict[Any, Any] = {}
    for key, result in zip(keys, results, strict=True):
        first.setdefault(key, result)
    default, is_total = _plain_default(node.default, node.base, kind)
    if not is_total:
        found = _looked_up(at, base, first, None, kind)
        otherwise = at.lowering.number(of_kind(at, [node.default], kind))
        tensor = at.graph.add("Where", at.lowering.is_missing(found), otherwise.tensor, found.tensor)
        return at.like(tensor, found, otherwise, kind=kind, may_miss=otherwise.may_miss)
    return _looked_up(at, base, first, default, kind, keeps_missing=isinstance(node.default, ops.IfElse))


def _plain_default(default: Any, base: Any, kind: Kind) -> tuple[Any, bool]:
    """Return the value for all other keys, and whether it is one: a constant, that a missing key may not get."""
    if isinstance(default, ops.Cast) and isinstance(default.arg, ops.Literal):
        default = default.arg
    if isinstance(default, ops.Literal):
        return constant_of(default.value, kind), True
    if isinstance(default, ops.IfElse) and isinstance(default.bool_expr, ops.IsNull) and default.bool_expr.arg == base:
        values = [getattr(one, "value", ...) for one in (default.true_expr, default.false_null_expr)]
        if values[0] is None and values[1] not in (None, ...):
            return constant_of(values[1], kind), True
    return None, False


_DTYPES: dict[Kind, Any] = {"number": np.float64, "text": object, "moment": np.int64}


def _looked_up(
    at: Group, base: Value, table: dict[Any, Any], default: Any, kind: Kind, *, keeps_missing: bool = False
) -> Value:
    from kernel_tools.wrangler.lowering.onnx_values import MISSING

    keys, values = list(table), list(table.values())
    if keeps_missing and default is not None:
        keys, values = [*keys, MISSING[base.kind]], [*values, MISSING[kind]]
    tensor = at.graph.add(
        "LabelEncoder",
        base.tensor,
        domain="ai.onnx.ml",
        keys_tensor=at.graph.tensor(np.array(keys, dtype=_DTYPES[base.kind])),
        values_tensor=at.graph.tensor(np.array(values, dtype=_DTYPES[kind])),
        default_tensor=at.graph.tensor(np.array([MISSING[kind] if default is None else default], dtype=_DTYPES[kind])),
    )
    return at.like(tensor, base, kind=kind, may_miss=default is None or (keeps_missing and base.may_miss))


def _compared_case(at: Group, base: Value, kind: Kind) -> Value | Truth:
    from kernel_tools.wrangler.lowering.onnx_rules.logic import truth_of
    from kernel_tools.wrangler.lowering.onnx_rules.texts import is_one_of

    found = of_kind(at, [at.node.default], kind)
    for case, result in zip(reversed(at.node.cases), reversed(at.node.results), strict=True):
        if base.spelling is None:
            key = at.lowering.number(at.lowering.lower([case]))
            test = truth_of(at, [base, key], at.graph.add("Equal", base.tensor, key.tensor))
        elif isinstance(case, ops.Literal):
            test = is_one_of(at, base, [case.value])
        else:
            raise UnsupportedError("text whose letters are changed can only be compared with text that is written")
        found = chosen(at, test, of_kind(at, [result], kind), found)
    return found
