"""Operators that fill missing values from the rows before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import (
    ROW,
    Operator,
    State,
    StepError,
    in_order,
    pick_column,
    pick_columns,
    with_columns,
)

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

_INSIDE = ("__place__", "__value__", "__known__", "__known_place__", "__before__", "__after__") + (
    "__low__",
    "__low_place__",
    "__high__",
    "__high_place__",
)
PLACE, VALUE, KNOWN, KNOWN_PLACE, BEFORE, AFTER, LOW, LOW_PLACE, HIGH, HIGH_PLACE = _INSIDE


class _FromRows(Operator):
    """Base: what a row takes from others of its group, in an order."""

    family = "missing"

    partition_by: list[str] = pick_columns(default=[], minimum=0, description="The columns whose values make a group.")
    order_by: list[str] = pick_columns(
        default=[], minimum=0, description="The columns that order the rows of a group; none takes them as they are."
    )

    def _along(self) -> str:
        by = f" by {', '.join(self.partition_by)}" if self.partition_by else ""
        return by + (f" along {', '.join(self.order_by)}" if self.order_by else "")

    def _order(self) -> list[str]:
        return self.order_by

    def _window(self, table: ir.Table, *, backward: bool = False) -> Any:
        """Return the window of a row, and all before or after it."""
        import ibis

        return ibis.window(
            group_by=[table[name] for name in self.partition_by],
            order_by=[table[name].asc() for name in (*self._order(), ROW)],
            rows=(0, None) if backward else (None, 0),
        )

    def _side(self, table: ir.Table, count: str) -> Any:
        """Return the window of the rows that share a count: the one that has a value, and those that take it."""
        import ibis

        return ibis.window(group_by=[table[name] for name in (*self.partition_by, count)])


class FillDirection(_FromRows):
    """Fill a missing value with the nearest one before it, or after it, of the same group.

    Missing values with none on that side stay.
    """

    op = "fill_direction"
    title = "Fill forward or backward"

    columns: list[str] = pick_columns(
        "number", "string", "boolean", "datetime", "date", "time", description="The columns to fill."
    )
    direction: Literal["forward", "backward"] = Field(
        "forward", description="forward takes the value before, backward the one after."
    )

    def sentence(self) -> str:
        """Name the columns and the direction."""
        return f"Fill missing values of {', '.join(self.columns)} {self.direction}{self._along()}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse columns that order or group the rows themselves."""
        super().check(*schemas)
        _require_others(self.columns, [*self.partition_by, *self.order_by])

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Count the values up to each row: the rows of one count share the one value among them."""

        def build(table: ir.Table) -> ir.Table:
            window = self._window(table, backward=self.direction == "backward")
            counts = {name: f"__count_{name}__" for name in dict.fromkeys(self.columns)}
            counted = with_columns(table, {count: table[name].count().over(window) for name, count in counts.items()})
            filled = {name: counted[name].max().over(self._side(counted, count)) for name, count in counts.items()}
            return with_columns(counted, filled).drop(*counts.values())

        return in_order(tables[0], build)


class Interpolate(_FromRows):
    """Fill missing numbers between two others of the group, in a straight line.

    Along the number of the row, or along `along`: a column of numbers or times. Missing values before the first number
    and after the last stay, as do those whose place is missing. Times count in whole seconds. Results are fractions of
    64 bits.
    """

    op = "interpolate"
    title = "Interpolate"

    columns: list[str] = pick_columns("number", description="The columns to fill.")
    along: str | None = pick_column(
        "number", "datetime", "date", default=None, description="What the line is drawn along; it orders the rows too."
    )

    def sentence(self) -> str:
        """Name the columns."""
        along = f" along {self.along}" if self.along else self._along()
        return f"Interpolate missing values of {', '.join(self.columns)}{along}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse columns that order or group the rows themselves, and two orders."""
        super().check(*schemas)
        _require_others(self.columns, [*self.partition_by, *self.order_by, *([self.along] if self.along else [])])
        if self.along and self.order_by:
            raise StepError(
                "The line is drawn along a column, which orders the rows too. Remove the order.", field="along"
            )

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Take the nearest number and its place from both sides."""

        def build(table: ir.Table) -> ir.Table:
            for name in dict.fromkeys(self.columns):
                table = self._interpolated(table, name)
            return table

        return in_order(tables[0], build)

    def _order(self) -> list[str]:
        return [self.along] if self.along else self.order_by

    def _place(self, table: ir.Table) -> Any:
        if not self.along:
            return self._row_number(table).cast("float64")
        column = table[self.along]
        if kind_of(column.type()) == "number":
            return column.cast("float64")
        return column.cast("timestamp").epoch_seconds().cast("float64")

    def _row_number(self, table: ir.Table) -> Any:
        import ibis

        order = [table[name].asc() for name in (*self._order(), ROW)]
        return ibis.row_number().over(ibis.window(group_by=[table[name] for name in self.partition_by], order_by=order))

    def _interpolated(self, table: ir.Table, name: str) -> ir.Table:
        placed = with_columns(table, {PLACE: self._place(table), VALUE: table[name].cast("float64")})
        known = placed[PLACE].notnull() & placed[VALUE].notnull()
        known_values = with_columns(
            placed, {KNOWN: known.ifelse(placed[VALUE], None), KNOWN_PLACE: known.ifelse(placed[PLACE], None)}
        )
        counted = with_columns(
            known_values,
            {
                BEFORE: known_values[KNOWN].count().over(self._window(known_values)),
                AFTER: known_values[KNOWN].count().over(self._window(known_values, backward=True)),
            },
        )
        low, low_place, high, high_place = (
            counted[column].max().over(self._side(counted, side))
            for side in (BEFORE, AFTER)
            for column in (KNOWN, KNOWN_PLACE)
        )
        ends = with_columns(counted, {LOW: low, LOW_PLACE: low_place, HIGH: high, HIGH_PLACE: high_place})
        share = (ends[PLACE] - ends[LOW_PLACE]) / (ends[HIGH_PLACE] - ends[LOW_PLACE])
        line = (ends[HIGH_PLACE] > ends[LOW_PLACE]).ifelse(ends[LOW] + (ends[HIGH] - ends[LOW]) * share, ends[LOW])
        inside = (ends[HIGH].notnull() & ends[PLACE].notnull()).ifelse(line, None)
        return with_columns(ends, {name: ends[VALUE].fill_null(inside)}).drop(*_INSIDE)


def _require_others(columns: list[str], others: list[str]) -> None:
    for name in columns:
        if name in others:
            raise StepError(f"The column {name!r} cannot be filled and order or group the rows too.", field="columns")
