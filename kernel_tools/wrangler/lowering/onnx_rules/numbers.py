"""Rules for numbers: constants, arithmetic, functions, conversions. NaN is the missing value, and passes through."""

from __future__ import annotations

import math

import ibis.expr.operations as ops
import numpy as np

from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.onnx_graph import Truth, Value
from kernel_tools.wrangler.lowering.onnx_values import Group, constant_of, rule, tensor_kind


@rule(ops.Literal)
def literal(at: Group) -> Value | Truth:
    """A constant."""
    written = [node.value for node in at.nodes]
    if at.node.dtype.is_boolean():
        return at.lowering.truths(written)
    if any(isinstance(value, float) and math.isinf(value) for value in written):
        raise UnsupportedError("infinity has no form in a graph")
    kind = tensor_kind(at.node.dtype)
    return at.lowering.constant(kind, [constant_of(value, kind) for value in written])


@rule(ops.Pi)
def pi(at: Group) -> Value:
    """The number."""
    return at.lowering.constant("number", [math.pi])


_ARITHMETIC = {ops.Subtract: "Sub", ops.Multiply: "Mul", ops.Divide: "Div"}


@rule(*_ARITHMETIC)
def arithmetic(at: Group) -> Value:
    """One node."""
    return at.made(_ARITHMETIC[type(at.node)], at.number("left"), at.number("right"))


@rule(ops.Add)
def add(at: Group) -> Value:
    """One node; of a long sum of weighted columns, one product of matrices."""
    terms = [_terms(node) for node in at.nodes]
    weighted = [[term.left for term in row if _is_weighted(term)] for row in terms]
    if len(terms[0]) < 3 or any(len(row) < len(terms[0]) or row != weighted[0] for row in weighted):
        return at.made("Add", at.number("left"), at.number("right"))
    columns = at.lowering.number(at.lowering.lower(weighted[0]))
    weights = np.array([[float(term.right.value) for term in row] for row in terms]).T
    if columns.width != len(weights):
        return at.made("Add", at.number("left"), at.number("right"))
    tensor = at.graph.add("MatMul", columns.tensor, at.graph.constant(np.ascontiguousarray(weights)))
    return Value("number", tensor, len(at.nodes), columns.may_miss, columns.is_constant)


def _terms(node: ops.Node) -> list[ops.Node]:
    terms = []
    while isinstance(node, ops.Add):
        terms.append(node.right)
        node = node.left
    return [node, *reversed(terms)]


def _is_weighted(term: ops.Node) -> bool:
    return isinstance(term, ops.Multiply) and isinstance(term.right, ops.Literal) and term.right.value is not None


@rule(ops.FloorDivide)
def floor_divide(at: Group) -> Value:
    """The quotient, rounded down."""
    return at.made("Floor", at.made("Div", at.number("left"), at.number("right")))


@rule(ops.Modulus)
def modulus(at: Group) -> Value:
    """The rest, with the sign of the first number."""
    return at.made("Mod", at.number("left"), at.number("right"), fmod=1)


@rule(ops.Power)
def power(at: Group) -> Value:
    """A power; ONNX says that x ** 0 and 1 ** x are 1 even of missing values."""
    base, exponent = at.number("left"), at.number("right")
    raised = at.made("Pow", base, exponent)
    written = [node.value for node in at.argument("right") if isinstance(node, ops.Literal)]
    if not raised.may_miss or (len(written) == len(at.nodes) and all(written)):
        return raised
    either = at.graph.add("IsNaN", at.made("Add", base, exponent).tensor)
    return at.like(
        at.graph.add("Where", either, at.lowering.missing("number"), raised.tensor), base, exponent, may_miss=True
    )


_FUNCTIONS = {
    ops.Negate: "Neg", ops.Abs: "Abs", ops.Sign: "Sign", ops.Ceil: "Ceil", ops.Floor: "Floor", ops.Sqrt: "Sqrt",
    ops.Exp: "Exp", ops.Ln: "Log", ops.Sin: "Sin", ops.Cos: "Cos",
}  # fmt: skip


@rule(*_FUNCTIONS)
def function(at: Group) -> Value:
    """One node."""
    return at.made(_FUNCTIONS[type(at.node)], at.number("arg"))


@rule(ops.Log10, ops.Log2)
def logarithm(at: Group) -> Value:
    """A logarithm of another base."""
    base = at.lowering.constant("number", [math.log(10 if isinstance(at.node, ops.Log10) else 2)])
    return at.made("Div", at.made("Log", at.number("arg")), base)


@rule(ops.Log, single=True)
def log(at: Group) -> Value:
    """A logarithm whose base is given."""
    natural = at.made("Log", at.number("arg"))
    return natural if at.node.base is None else at.made("Div", natural, at.made("Log", at.number("base")))


@rule(ops.Round, single=True)
def rounded(at: Group) -> Value:
    """Halves away from 0."""
    value, digits = at.number("arg"), at.node.digits
    places = 0 if digits is None else digits.value if isinstance(digits, ops.Literal) else None
    if places is None:
        raise UnsupportedError("the number of decimals has to be written out")
    unit = at.lowering.constant("number", [10.0**places])
    scaled = at.made("Mul", value, unit) if places else value
    half = at.lowering.constant("number", [0.5])
    whole = at.made("Mul", at.made("Floor", at.made("Add", at.made("Abs", scaled), half)), at.made("Sign", scaled))
    return at.made("Div", whole, unit) if places else whole


@rule(ops.Greatest, ops.Least, single=True)
def extreme(at: Group) -> Value:
    """The greatest or least of several numbers; missing ones do not count."""
    op = "Max" if isinstance(at.node, ops.Greatest) else "Min"
    values = [at.lowering.number(at.lowering.lower([node])) for node in at.node.arg]
    if any(value.kind != "number" for value in values):
        raise UnsupportedError(f"{type(at.node).__name__} of texts or moments has no rule")
    found = values[0]
    for value in values[1:]:
        tensor = at.made(op, found, value).tensor
        if value.may_miss:
            tensor = at.graph.add("Where", at.lowering.is_missing(value), found.tensor, tensor)
        if found.may_miss:
            tensor = at.graph.add("Where", at.lowering.is_missing(found), value.tensor, tensor)
        found = at.like(tensor, found, value, may_miss=found.may_miss and value.may_miss)
    return found


@rule(ops.IsNan, ops.IsInf)
def is_special(at: Group) -> Truth:
    """NaN is missing here, and so never there; infinities are looked for."""
    value = at.number("arg")
    if isinstance(at.node, ops.IsNan):
        return at.lowering.truths([False])
    tensor = at.graph.add("IsInf", value.tensor)
    return Truth(
        lambda: tensor, lambda: at.graph.add("Not", tensor), value.width, may_miss=False, is_constant=value.is_constant
    )


@rule(ops.Cast)
def cast(at: Group) -> Value | Truth:
    """Another type; of most numbers nothing has to be done."""
    sources, to = [node.arg.dtype for node in at.nodes], at.node.to
    value = at["arg"]
    if isinstance(value, Truth):
        if to.is_boolean():
            return value
        value = at.lowering.number(value)
    kind = tensor_kind(to)
    if to.is_boolean() and value.kind == "number":
        return _is_not_zero(at, value)
    if value.kind == "number" and kind == "number":
        if to.is_integer() and any(source.is_floating() or source.is_decimal() for source in sources):
            return at.made("Round", value)
        if to.is_float32():
            narrow = at.graph.cast(at.graph.cast(value.tensor, "FLOAT"), "DOUBLE")
            return at.like(narrow, value)
        return value
    if value.kind == "number" and kind == "text" and all(source.is_integer() for source in sources):
        text = at.graph.cast(at.graph.cast(value.tensor, "INT64"), "STRING")
        if value.may_miss:
            text = at.graph.add("Where", at.lowering.is_missing(value), at.lowering.missing("text"), text)
        return at.like(text, value, kind="text")
    if value.kind == "moment" and kind == "moment":
        from kernel_tools.wrangler.lowering.onnx_rules.dates import midnight

        return midnight(at, value) if to.is_date() else value
    if value.kind == kind:
        return value
    raise UnsupportedError(f"{sources[0]} cannot be converted to {to} in a graph")


def _is_not_zero(at: Group, value: Value) -> Truth:
    zero = at.lowering.constant("number", [0.0]).tensor

    def is_zero() -> str:
        return at.graph.add("Equal", value.tensor, zero)

    def is_other() -> str:
        other = at.graph.add("Not", is_zero())
        return at.graph.add("And", other, at.lowering.is_there(value)) if value.may_miss else other

    return Truth(is_other, is_zero, value.width, value.may_miss, value.is_constant)
