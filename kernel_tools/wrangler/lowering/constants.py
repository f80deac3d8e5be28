"""Constants, signs and patterns: what libraries of frames write alike."""

from __future__ import annotations

import re
from typing import Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import text
from kernel_tools.wrangler.lowering.shapes import parts_of

BINARY: dict[type, str] = {
    ops.Add: "+", ops.Subtract: "-", ops.Multiply: "*", ops.Divide: "/", ops.FloorDivide: "//", ops.Equals: "==",
    ops.NotEquals: "!=", ops.Less: "<", ops.LessEqual: "<=", ops.Greater: ">", ops.GreaterEqual: ">=", ops.And: "&",
    ops.Or: "|",
}  # fmt: skip

PRECEDENCE = {"|": 2, "&": 3, "+": 4, "-": 4, "*": 5, "/": 5, "//": 5, "%": 5}
PRECEDENCE |= dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 1)
"""How strongly the signs of Python bind."""


def literal_code(op: Any) -> str:
    """Return a constant."""
    value = op.value
    if value is None:
        return "None"
    if op.dtype.is_date():
        return f"datetime.date({value.year}, {value.month}, {value.day})"
    if op.dtype.is_timestamp():
        parts = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
        while len(parts) > 3 and not parts[-1]:
            parts.pop()
        return f"datetime.datetime({', '.join(map(str, parts))})"
    if isinstance(value, float) and value != value:
        return 'float("nan")'
    if isinstance(value, float) and value in (float("inf"), -float("inf")):
        return f'float("{value}")'
    if isinstance(value, (str, bool, int, float)):
        return text(value)
    raise UnsupportedError(f"a constant of the type {op.dtype}")


def constant(op: Any) -> Any:
    """Return the value of a constant.

    Raises
    ------
    UnsupportedError
        If it is computed.
    """
    if isinstance(op, ops.Alias):
        return constant(op.arg)
    if isinstance(op, ops.Cast) and isinstance(op.arg, ops.Literal):
        return op.arg.value
    if not isinstance(op, ops.Literal):
        raise UnsupportedError(f"a computed argument ({type(op).__name__})")
    return op.value


def constant_or(op: Any, default: Any = None) -> Any:
    """Return the value of a constant, or a default."""
    return op.value if isinstance(op, ops.Literal) else default


def option_codes(op: Any) -> list[str]:
    """Return the constants of a choice, in the type of the column; those that it cannot have are left out.

    Raises
    ------
    UnsupportedError
        If one is computed.
    """
    options = [constant(one) for one in op.options]
    if op.value.dtype.is_integer():
        return [repr(int(one)) for one in options if one is not None and one == int(one)]
    if op.value.dtype.is_floating():
        return [repr(float(one)) for one in options if one is not None]
    return [literal_code(one) for one in op.options if isinstance(one, ops.Literal) and one.value is not None]


def pattern_code(pattern: str) -> str:
    """Return a regular expression, as a raw text where it has a backslash and no quotes."""
    if "\\" in pattern and '"' not in pattern and not pattern.endswith("\\") and pattern.isprintable():
        return f'r"{pattern}"'
    return text(pattern)


def like_pattern(pattern: str, flags: str) -> str:
    """Return the regular expression of a LIKE pattern."""
    signs = {"%": ".*", "_": "."}
    return f"{flags}^" + "".join(signs.get(one, re.escape(one)) for one in pattern) + "$"


def is_place(op: Any) -> bool:
    """Whether a value is a rank from 1 on: one from 0 on, and 1."""
    func = op.left.func if isinstance(op, ops.Add) and isinstance(op.left, ops.WindowFunction) else None
    return isinstance(func, (ops.MinRank, ops.DenseRank)) and constant_or(op.right) == 1


def relation_of(op: Any) -> Any:
    """Return the relation that a value is computed from; None if it names no column."""
    return next((one.rel for one in parts_of(op, ops.Field)), None)


def bound(boundary: Any) -> int | None:
    """Return the rows from the own one to the end of a frame; None if there is none."""
    if boundary is None:
        return None
    value = boundary.value
    while isinstance(value, (ops.Cast, ops.Alias)):
        value = value.arg
    if not isinstance(value, ops.Literal):
        raise UnsupportedError("a window of a computed size")
    return -int(value.value) if boundary.preceding else int(value.value)
