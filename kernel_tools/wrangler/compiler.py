"""Ibis's compiler for DuckDB, made to keep the types that Ibis promises.

DuckDB reads ``0.5`` as a DECIMAL, ``1`` as an INTEGER, adds up BIGINTs to a HUGEINT and makes a TIMESTAMP of the month
of a DATE, so that results had other types than the expression says, and decimals were computed with where floats were
meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler


class Compiler(DuckDBCompiler):  # type: ignore[misc]  # Ibis has no types
    """DuckDB's compiler with floats as DOUBLE, and results cast where DuckDB's type is another."""

    __slots__ = ()

    def visit_node(self, op: ops.Node, **parts: Any) -> Any:
        """Cast what DuckDB gives another type."""
        found = super().visit_node(op, **parts)
        return self.cast(found, op.dtype) if _has_another_type(op) else found

    def visit_NonNullLiteral(self, op: ops.Literal, *, value: Any, dtype: Any) -> Any:
        """Write a finite float with an exponent: DuckDB reads that as a DOUBLE, digit by digit."""
        written = repr(float(value)) if dtype.is_floating() else ""
        if not written or "n" in written:  # inf and nan
            return super().visit_NonNullLiteral(op, value=value, dtype=dtype)
        number = sge.Literal.number(written.lstrip("-") + ("" if "e" in written else "e0"))
        return sge.Neg(this=number) if written.startswith("-") else number

    def visit_Sum(self, op: ops.Sum, *, arg: Any, where: Any) -> Any:
        """Add whole numbers up to a BIGINT."""
        total = super().visit_Sum(op, arg=arg, where=where)
        return self.cast(total, op.dtype) if op.dtype.is_integer() else total

    def visit_WindowFunction(self, op: ops.WindowFunction, *, func: Any, **window: Any) -> Any:
        """Cast a sum after OVER, not before."""
        if not (isinstance(op.func, ops.Sum) and isinstance(func, sge.Cast)):
            return super().visit_WindowFunction(op, func=func, **window)
        return self.cast(super().visit_WindowFunction(op, func=func.this, **window), op.dtype)

    def visit_ExtractEpochSeconds(self, op: ops.ExtractEpochSeconds, *, arg: Any) -> Any:
        """Return whole seconds, rounded down."""
        return self.cast(self.f.floor(super().visit_ExtractEpochSeconds(op, arg=arg)), dt.int64)

    def visit_TimestampFromUNIX(self, op: ops.TimestampFromUNIX, *, arg: Any, unit: Any) -> Any:
        """Return a date-time without a zone."""
        return self.f.make_timestamp(arg * {"s": 1_000_000, "ms": 1_000, "us": 1}[unit.short])


_OTHERS = (ops.DateTruncate, ops.DateAdd, ops.DateSub, ops.Sign, ops.ArraySum)


def _has_another_type(op: ops.Node) -> bool:
    if isinstance(op, (ops.SearchedCase, ops.SimpleCase)):
        return _are_whole_literals(op.dtype, (*op.results, op.default))
    if isinstance(op, ops.IfElse):
        return _are_whole_literals(op.dtype, (op.true_expr, op.false_null_expr))
    return isinstance(op, _OTHERS)


def _are_whole_literals(dtype: Any, results: Sequence[ops.Value]) -> bool:
    """Whether the values are written out: then DuckDB takes the type that the numbers fit in."""
    return dtype.is_integer() and all(isinstance(one, (ops.Literal, ops.Cast)) for one in results)


compiler = Compiler()
