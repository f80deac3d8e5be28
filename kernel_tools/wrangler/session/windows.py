"""A table seen through windows: its rows in an order, those that pass a filter, some columns of some rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import require_column

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

MAX_CELL = 200
"""Characters of a cell that a window shows; `cell` returns all of them."""

MAX_WINDOW_ROWS = 2_000
MAX_WINDOW_COLUMNS = 1_000

CHANGED = "__changed__"
"""Prefix of the columns that say which cells a step has changed."""


@dataclass(frozen=True)
class View:
    """Rows to look at: all of a table, or those that a table of row numbers names, in its order.

    Attributes
    ----------
    table
        The name of the table.
    order
        The name of a table with the columns ``place`` (0, 1, ...) and ``row``; None for all rows as they are.
    rows
        How many rows there are to look at.
    """

    table: str
    order: str | None
    rows: int


def arrange(engine: Engine, table: str, sort: list[dict[str, Any]], filters: list[dict[str, Any]]) -> View:
    """Sort and filter a table without moving its rows.

    Parameters
    ----------
    sort
        ``{"column", "descending"}`` by precedence. Missing values come last, rows that are equal stay in their order.
    filters
        All have to hold: ``{"column", "operator", "value"}`` with the operators ``=``, ``!=``, ``<``, ``<=``, ``>``,
        ``>=``, ``between`` (the upper end does not belong to it), ``in``, ``contains``, ``is missing``, ``is not
        missing``.
    """
    import ibis

    source = engine.table(table)
    rowid = source.rowid()
    rows = source.mutate(row=rowid) if "row" not in source.columns else source.mutate(**{"row ": rowid})
    name = rows.columns[-1]
    for one in filters:
        rows = rows.filter(_condition(rows, one))
    keys = [
        (ibis.desc if one.get("descending") else ibis.asc)(_column(rows, one["column"]), nulls_first=False)
        for one in sort
    ]
    window = ibis.window(order_by=[*keys, rows[name]])
    places = rows.select(place=ibis.row_number().over(window), row=rows[name])
    order = engine.materialize(places.order_by("place"), engine.new_name("order"))
    return View(table, order.get_name(), int(order.count().to_pyarrow().as_py()))


def _column(table: ir.Table, name: str) -> ir.Value:
    require_column(table.schema(), name, field="column")
    return table[name]


def _condition(table: ir.Table, wanted: dict[str, Any]) -> ir.BooleanValue:
    column, operator, value = _column(table, wanted["column"]), wanted["operator"], wanted.get("value")
    if operator == "is missing":
        return column.isnull()
    if operator == "is not missing":
        return column.notnull()
    if operator == "contains":
        return column.cast("string").lower().contains(str(value).lower())
    if operator in ("in", "between"):
        values = [_literal(column, one) for one in value] if isinstance(value, list) else []
        if operator == "in" and values:
            return column.isin(values)
        if len(values) != 2 or operator == "in":
            raise InvalidArgumentError("'in' needs a list of values, 'between' a list of two.")
        return (column >= values[0]) & (column < values[1])
    if operator in _COMPARISONS:
        return _COMPARISONS[operator](column, _literal(column, value))
    raise InvalidArgumentError(f"There is no comparison {operator!r}. Use one of: {', '.join(_COMPARISONS)}.")


_COMPARISONS: dict[str, Any] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


def _literal(column: ir.Value, value: Any) -> Any:
    """Return a value of JSON as one of the column's type."""
    import ibis

    kind = kind_of(column.type())
    fits = {"number": (int, float), "boolean": (bool,), "string": (str,)}.get(kind, (str,))
    if not isinstance(value, fits) or (kind == "number" and isinstance(value, bool)):
        raise InvalidArgumentError(
            f"{value!r} cannot be compared with {column.get_name()!r}, which holds {column.type()}."
        )
    return ibis.literal(value) if kind in ("number", "boolean", "string") else ibis.literal(value).cast(column.type())


def window(
    engine: Engine, view: View, start: int, count: int, columns: list[str] | None = None, before: str | None = None
) -> pa.Table:
    """Return some rows of a view as they are shown: long text cut; lists, decimals, times and moments as text.

    Parameters
    ----------
    start, count
        The first row and how many; fewer come at the end.
    columns
        Those to return; None means all.
    before
        A table with the same rows: for each column that it has too, a column with the prefix `CHANGED` says for each
        cell whether it differs there.

    Raises
    ------
    InvalidArgumentError
        If a column does not exist, or the window is too large.
    """
    if start < 0 or not 0 < count <= MAX_WINDOW_ROWS:
        raise InvalidArgumentError(f"A window has 1 to {MAX_WINDOW_ROWS:,} rows, from row 0 on.")
    types = column_types(engine, view.table)
    names = columns if columns is not None else list(types)[:MAX_WINDOW_COLUMNS]
    unknown = [name for name in names if name not in types]
    if unknown or len(names) > MAX_WINDOW_COLUMNS:
        raise InvalidArgumentError(
            f"A window has at most {MAX_WINDOW_COLUMNS:,} columns of the table; not {unknown[:3]}."
        )
    query = exp.select(*(_shown(name, types[name]) for name in names)).from_(_table(view.table, "t"))
    if before is not None:
        earlier = column_types(engine, before)
        query = query.join(_table(before, "b"), on=exp.EQ(this=_field("rowid", "t"), expression=_field("rowid", "b")))
        query = query.select(*(_differs(name) for name in names if name in earlier))
    if view.order is None:
        place = _field("rowid", "t")
    else:
        place = _field("place", "o")
        query = query.join(_table(view.order, "o"), on=exp.EQ(this=_field("rowid", "t"), expression=_field("row", "o")))
    low, high = exp.Literal.number(start), exp.Literal.number(start + count - 1)
    query = query.where(exp.Between(this=place, low=low, high=high)).order_by(place)
    with engine.running():
        return engine.connection.sql(query.sql("duckdb")).to_arrow_table()


def cell(engine: Engine, view: View, row: int, column: str) -> Any:
    """Return one value whole, as text; None if it is missing.

    Raises
    ------
    InvalidArgumentError
        If there is no such column or row.
    """
    types = column_types(engine, view.table)
    if column not in types or not 0 <= row < view.rows:
        raise InvalidArgumentError(f"There is no cell in row {row:,}, column {column!r}.")
    query = exp.select(exp.cast(_field(column, "t"), "VARCHAR")).from_(_table(view.table, "t"))
    place = _field("rowid", "t")
    if view.order is not None:
        place = _field("place", "o")
        query = query.join(_table(view.order, "o"), on=exp.EQ(this=_field("rowid", "t"), expression=_field("row", "o")))
    query = query.where(exp.EQ(this=place, expression=exp.Literal.number(row)))
    with engine.running():
        found = engine.connection.execute(query.sql("duckdb")).fetchall()
    return found[0][0] if found else None


def column_types(engine: Engine, table: str) -> dict[str, str]:
    """Return the columns of a table with DuckDB's names of their types; quick, without Ibis."""
    with engine.running():
        relation = engine.connection.table(table)
        return dict(zip(relation.columns, map(str, relation.types), strict=True))


def _table(name: str, alias: str) -> exp.Expression:
    return exp.Table(this=exp.to_identifier(name, quoted=True), alias=exp.TableAlias(this=exp.to_identifier(alias)))


def _field(name: str, table: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=name != "rowid"), exp.to_identifier(table))


def _shown(name: str, kind: str) -> Any:
    value: Any = _field(name, "t")
    if kind in _SHORT:
        return exp.alias_(value, name, quoted=True)
    if kind.startswith(_EXACT):
        return exp.alias_(exp.cast(value, "VARCHAR"), name, quoted=True)
    if kind != "VARCHAR":
        value = exp.cast(value, "VARCHAR")
    cut = exp.DPipe(this=exp.func("LEFT", value, exp.Literal.number(MAX_CELL)), expression=exp.Literal.string("…"))
    is_long = exp.GT(this=exp.func("LENGTH", value), expression=exp.Literal.number(MAX_CELL))
    return exp.alias_(exp.Case().when(is_long, cut).else_(value), name, quoted=True)


def _differs(name: str) -> Any:
    differs = exp.NullSafeNEQ(this=_field(name, "t"), expression=_field(name, "b"))
    return exp.alias_(differs, CHANGED + name, quoted=True)


_SHORT = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT"}
    | {"DOUBLE", "DATE"}
)
_EXACT = ("DECIMAL", "TIME")
"""Types whose values a browser has no number for: a decimal loses its point there, a moment its microseconds."""
