"""Formulas: SQL scalar expressions over the columns of a table, as Ibis values.

A formula is parsed, every part of it is looked up in the lists below, and an expression is built from what was found:
no SQL of a formula ever reaches an engine. The grammar and its limits are in `formula_parsing`, the functions in
`formula_functions`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.common.exceptions import IbisError
from sqlglot import exp

from kernel_tools.wrangler.formula_functions import FUNCTIONS, TYPES, FunctionError, converted, quotient
from kernel_tools.wrangler.formula_parsing import (
    DEEPEST,
    TOO_DEEP,
    FormulaError,
    called,
    parsed_formula,
    position_of,
    quoted_name,
    text_of,
)
from kernel_tools.wrangler.kinds import KIND_WORDS, Kind, kind_of


def formula(text: str, table: ir.Table | ibis.Schema, *, field: str = "formula") -> ir.Value:
    """Return the value that a formula stands for.

    Numbers, ``'text'``, TRUE, FALSE, NULL, ``DATE '2024-02-29'`` and ``TIMESTAMP '2024-02-29 12:00:00'``; columns as
    ``age`` or ``"net income"``; ``+ - * / // % ** ||``, comparisons, AND, OR, NOT, IS NULL, IN, BETWEEN, LIKE, ILIKE,
    CASE, CAST(x AS type), and the functions of `FUNCTIONS`.

    A division by zero, the logarithm or root of a number that has none, and a conversion that fails are NULL; ``/``
    never cuts, ``//`` rounds down, ``%`` has the sign of its first number.

    Parameters
    ----------
    text
        At most 4,000 characters.
    table
        The table, or its schema: then the value can be looked at but not used.
    field
        The parameter of the step, for errors.

    Raises
    ------
    FormulaError
        With the position and what would be possible there.
    """
    table = table if isinstance(table, ir.Table) else ibis.table(table, name="t")
    try:
        value = _Reader(table).value(parsed_formula(text))
    except FormulaError as error:
        error.field = field
        raise
    except FunctionError as error:
        raise FormulaError(str(error), field=field) from error
    except (IbisError, TypeError, ValueError, OverflowError) as error:
        raise FormulaError(f"The parts do not fit together: {_first_line(error)}", field=field) from error
    if not isinstance(value, ir.Value):
        raise FormulaError("The formula is only NULL", field=field)
    is_written = isinstance(value.op(), ibis.expr.operations.Literal) and value.type().is_integer()
    return ibis.expr.operations.Cast(value, value.type()).to_expr() if is_written else value


def condition(text: str, table: ir.Table | ibis.Schema, *, field: str = "condition") -> ir.BooleanValue:
    """Do as `formula`, for one that is true or false.

    Raises
    ------
    FormulaError
        If it is something else, too.
    """
    value = formula(text, table, field=field)
    if not isinstance(value, ir.BooleanValue):
        words = KIND_WORDS[kind_of(value.type())]
        raise FormulaError(f"A condition is true or false, this gives {words}. Compare it with something", field=field)
    return value


def columns_of(text: str, schema: ibis.Schema) -> list[str]:
    """Return the columns that a formula uses, in the order in which they come.

    Raises
    ------
    FormulaError
        If it cannot be read.
    """
    reader = _Reader(ibis.table(schema, name="t"))
    found = [reader.column_name(node) for node in parsed_formula(text).find_all(exp.Column, bfs=False)]
    return list(dict.fromkeys(found))


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:200]


class _Reader:
    """Turns the parts of a formula into values of one table. A bare NULL stays None until its neighbour has a type."""

    def __init__(self, table: ir.Table) -> None:
        self._table = table
        self._depth = 0

    def value(self, node: exp.Expr) -> Any:
        self._depth += 1
        if self._depth > 4 * DEEPEST:
            raise FormulaError(TOO_DEEP)
        try:
            read = _READERS.get(type(node))
            if read is None:
                raise FormulaError(f"{called(node)} is not possible in a formula", position=position_of(node))
            return read(self, node)
        finally:
            self._depth -= 1

    def typed(self, node: exp.Expr) -> Any:
        found = self.value(node)
        if found is None:
            raise FormulaError("NULL cannot be computed with. To ask whether a value is missing, write x IS NULL")
        return found

    def column_name(self, node: exp.Column) -> str:
        name = node.name
        if node.table:
            raise FormulaError(
                f"{node.table}.{name}: a formula sees one table; write the name of the column alone, in double "
                "quotation marks if it has a dot",
                position=position_of(node),
            )
        if name in self._table.columns:
            return name
        names = list(self._table.columns)
        near = [one for one in names if one.lower() == name.lower()] or difflib.get_close_matches(name, names, n=3)
        quoted = [quoted_name(one) for one in near or names[:12]]
        more = f" and {len(names) - 12} more" if not near and len(names) > 12 else ""
        there = f"Did you mean {', '.join(quoted)}?" if near else f"There are: {', '.join(quoted)}{more}"
        if node.this.quoted and not near:
            there += ". (Text stands in single quotation marks)"
        raise FormulaError(f"There is no column {name!r}. {there}", position=position_of(node))

    def column(self, node: exp.Column) -> ir.Value:
        if isinstance(node.this, exp.Star):
            raise FormulaError("* stands for no column", position=position_of(node))
        return self._table[self.column_name(node)]

    def literal(self, node: exp.Literal) -> ir.Value:
        if node.is_string:
            return ibis.literal(node.name)
        if node.name.isdigit():
            whole = int(node.name)
            if whole >= 2**63:
                raise FormulaError(f"{node.name} is too large for a whole number. Write {node.name}.0")
            return ibis.literal(whole, type="int64")
        number = float(node.name)
        if not math.isfinite(number):
            raise FormulaError(f"{node.name} is too large for a number", position=position_of(node))
        return ibis.literal(number, type="float64")

    def boolean(self, node: exp.Boolean) -> ir.Value:
        return ibis.literal(bool(node.this))

    def null(self, node: exp.Null) -> None:
        return None

    def inner(self, node: exp.Paren) -> Any:
        return self.value(node.this)

    def arithmetic(self, node: exp.Binary) -> ir.Value:
        left, right = self.typed(node.left), self.typed(node.right)
        for side, part in ((left, node.left), (right, node.right)):
            _require(side, "number", part, f"{_SIGNS[type(node)]} needs numbers")
        return _ARITHMETIC[type(node)](_wide(left), _wide(right))

    def negative(self, node: exp.Neg) -> ir.Value:
        found = self.typed(node.this)
        _require(found, "number", node.this, "- needs a number")
        return ibis.literal(-found.op().value) if isinstance(found.op(), ibis.expr.operations.Literal) else -found

    def joined(self, node: exp.DPipe) -> ir.Value:
        left, right = self.typed(node.left), self.typed(node.right)
        for side, part in ((left, node.left), (right, node.right)):
            _require(side, "string", part, "|| joins text; convert other values with CAST(x AS TEXT)")
        return left + right

    def comparison(self, node: exp.Binary) -> ir.Value:
        left, right = _matched(self.typed(node.left), self.typed(node.right), node)
        return _COMPARISONS[type(node)](left, right)

    def logic(self, node: exp.Connector) -> ir.Value:
        left, right = (self._condition(part) for part in (node.left, node.right))
        return left & right if isinstance(node, exp.And) else left | right

    def negation(self, node: exp.Not) -> ir.Value:
        if isinstance(node.this, exp.Is) and isinstance(node.this.expression, exp.Null):
            return self.value(node.this.this).notnull()
        return ~self._condition(node.this)

    def is_(self, node: exp.Is) -> ir.Value:
        asked = node.expression
        if isinstance(asked, exp.Null):
            return self.typed(node.this).isnull()
        if isinstance(asked, exp.Boolean):
            found = self._condition(node.this)
            return (found if asked.this else ~found).fill_null(False)
        raise FormulaError("After IS comes NULL, NOT NULL, TRUE or FALSE", position=position_of(node))

    def in_(self, node: exp.In) -> ir.Value:
        if not node.expressions:
            raise FormulaError("After IN comes a list of values, as in job IN ('clerk', 'chef')")
        left = self.typed(node.this)
        listed = [_matched(left, self.typed(one), node)[1] for one in node.expressions]
        return left.isin(listed)

    def between(self, node: exp.Between) -> ir.Value:
        found = self.typed(node.this)
        low, high = (_matched(found, self.typed(node.args[end]), node)[1] for end in ("low", "high"))
        return (found >= low) & (found <= high)

    def like(self, node: exp.Binary) -> ir.Value:
        found, pattern = self.typed(node.left), node.right
        _require(found, "string", node.left, "LIKE needs text")
        if not isinstance(pattern, exp.Literal) or not pattern.is_string:
            raise FormulaError("After LIKE comes a pattern in single quotation marks, as in '%a_'")
        return found.like(pattern.name) if isinstance(node, exp.Like) else found.ilike(pattern.name)

    def case(self, node: exp.Case) -> Any:
        subject = self.typed(node.this) if node.this is not None else None
        branches = []
        for branch in node.args["ifs"]:
            if subject is None:
                test = self._condition(branch.this)
            else:
                left, right = _matched(subject, self.typed(branch.this), branch)
                test = left == right
            branches.append((test, self.value(branch.args["true"])))
        default = node.args.get("default")
        last = self.value(default) if default is not None else None
        results = _alike([result for _, result in branches] + [last], "CASE")
        if results[-1] is None:
            return ibis.cases(*zip([test for test, _ in branches], results[:-1], strict=True))
        return ibis.cases(*zip([test for test, _ in branches], results[:-1], strict=True), else_=results[-1])

    def cast(self, node: exp.Cast) -> ir.Value:
        name = node.to.sql("duckdb").upper()
        if name not in TYPES:
            raise FormulaError(f"There is no type {name}. There are: {', '.join(TYPES)}", position=position_of(node))
        written = node.this
        if isinstance(written, exp.Literal) and written.is_string and TYPES[name] in ("date", "timestamp"):
            return _moment(written.name, TYPES[name], written)
        return converted(self.typed(written), TYPES[name])

    def call(self, node: exp.Anonymous) -> Any:
        name = str(node.this).lower()
        if name == "if" and len(node.expressions) == 3:
            test, then, otherwise = node.expressions
            return self.case(exp.Case(ifs=[exp.If(this=test, true=then)], default=otherwise))
        function = FUNCTIONS.get(name)
        if function is None:
            near = difflib.get_close_matches(name, FUNCTIONS, n=3)
            there = f"Did you mean {', '.join(near)}?" if near else f"There are: {', '.join(sorted(FUNCTIONS))}"
            raise FormulaError(f"There is no function {name!r}. {there}", position=position_of(node))
        arguments = [self.value(one) for one in node.expressions]
        try:
            return function(*_alike(arguments, name) if function.is_of_one_type else arguments)
        except FunctionError as error:
            raise FormulaError(str(error), position=position_of(node)) from error

    def _condition(self, node: exp.Expr) -> Any:
        found = self.typed(node)
        _require(found, "boolean", node, "AND, OR, NOT and WHEN need conditions")
        return found


_ARITHMETIC: dict[type, Callable[[Any, Any], ir.Value]] = {
    exp.Add: lambda a, b: a + b,
    exp.Sub: lambda a, b: a - b,
    exp.Mul: lambda a, b: a * b,
    exp.Div: lambda a, b: quotient("/", a, b),
    exp.IntDiv: lambda a, b: quotient("//", a, b),
    exp.Mod: lambda a, b: quotient("%", a, b),
    exp.Pow: lambda a, b: FUNCTIONS["power"](a, b),
}
_SIGNS = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.IntDiv: "//", exp.Mod: "%", exp.Pow: "**"}
_COMPARISONS: dict[type, Callable[[Any, Any], ir.Value]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
}
_READERS: dict[type, Callable[[_Reader, Any], Any]] = {
    exp.Column: _Reader.column,
    exp.Literal: _Reader.literal,
    exp.Boolean: _Reader.boolean,
    exp.Null: _Reader.null,
    exp.Paren: _Reader.inner,
    exp.Neg: _Reader.negative,
    exp.DPipe: _Reader.joined,
    exp.And: _Reader.logic,
    exp.Or: _Reader.logic,
    exp.Not: _Reader.negation,
    exp.Is: _Reader.is_,
    exp.In: _Reader.in_,
    exp.Between: _Reader.between,
    exp.Like: _Reader.like,
    exp.ILike: _Reader.like,
    exp.Case: _Reader.case,
    exp.Cast: _Reader.cast,
    exp.TryCast: _Reader.cast,
    exp.Anonymous: _Reader.call,
    **dict.fromkeys(_ARITHMETIC, _Reader.arithmetic),
    **dict.fromkeys(_COMPARISONS, _Reader.comparison),
}


def _matched(left: Any, right: Any, node: exp.Expr) -> tuple[Any, Any]:
    """Return two values that can be compared: text that is written beside a date is read as a date."""
    kinds = [kind_of(side.type()) for side in (left, right)]
    if kinds[0] == kinds[1] or set(kinds) == {"date", "datetime"}:
        return left, right
    for side, other in ((0, 1), (1, 0)):
        operation = (left, right)[other].op()
        is_written = kinds[other] == "string" and isinstance(operation, ibis.expr.operations.Literal)
        if kinds[side] in ("date", "datetime") and is_written:
            moment = _moment(operation.value, "date" if kinds[side] == "date" else "timestamp", node)
            return (left, moment) if side == 0 else (moment, right)
    raise FormulaError(
        f"{KIND_WORDS[kinds[0]].capitalize()} cannot be compared with {KIND_WORDS[kinds[1]]}. Convert one of them with "
        "CAST(x AS type)",
        position=position_of(node),
    )


def _alike(found: Sequence[Any], name: str) -> list[Any]:
    """Return values of one kind, those that are NULL as they are."""
    there = [one for one in found if one is not None]
    kinds = {kind_of(one.type()) for one in there}
    if not there:
        raise FormulaError(f"{name} has nothing but NULL")
    if len(kinds) > 1:
        words = " and ".join(sorted(KIND_WORDS[kind] for kind in kinds))
        raise FormulaError(f"{name} has to give values of one kind, here are {words}. Convert with CAST(x AS type)")
    if kinds == {"number"} and any(one.type().is_floating() for one in there):
        there_type = "float64"
    else:
        there_type = there[0].type().copy(nullable=True)
    return [None if one is None else one if one.type() == there_type else one.cast(there_type) for one in found]


def _wide(number: Any) -> Any:
    """Return a number with room for results: DuckDB refuses a product of small whole numbers that is no small one."""
    dtype = number.type()
    return number.cast("int64") if dtype.is_integer() and dtype.nbytes < 8 else number


def _moment(text: str, dtype: str, node: exp.Expr) -> ir.Value:
    try:
        if dtype == "date":
            return ibis.literal(date.fromisoformat(text), type="date")
        moment = datetime.fromisoformat(text)
        return ibis.literal(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment, type="timestamp")
    except ValueError:
        example = "2024-02-29" if dtype == "date" else "2024-02-29 12:30:00"
        raise FormulaError(f"{text!r} is no {dtype}; write it as {example}", position=position_of(node)) from None


def _require(found: ir.Value, kind: Kind, node: exp.Expr, what: str) -> None:
    actual = kind_of(found.type())
    if actual != kind:
        raise FormulaError(f"{what}, {text_of(node)} holds {KIND_WORDS[actual]}", position=position_of(node))
