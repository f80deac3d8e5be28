"""Operators that fill missing values from the rows before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import ROW, Operator, State, in_order, pick_column, pick_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir


class FillDirection(Operator):
    """Fill missing values with the last value before, or the next one after.

    Rows are taken in the order of a column, or as they come; within groups, if columns for them are given. Missing
    values at the start (at the end) stay missing.
    """

    op = "fill_direction"
    title = "Fill forward or backward"
    family = "missing"

    columns: list[str] = pick_columns(description="The columns to fill.")
    direction: Literal["forward", "backward"] = Field("forward", description="Where the value is taken from.")
    order_by: str | None = pick_column(default=None, description="What orders the rows; none takes them as they come.")
    group_by: list[str] = pick_columns(default=[], minimum=0, description="Rows are filled within these groups.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Fill {', '.join(self.columns)} {self.direction}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Take the last value of a window."""
        import ibis

        def filled(table: ir.Table) -> ir.Table:
            keys = [table[ROW]] if self.order_by is None else [table[self.order_by], table[ROW]]
            groups = [table[name] for name in self.group_by]
            forward = self.direction == "forward"
            order = keys if forward else [ibis.desc(key) for key in keys]
            # The values since the last one that is there are missing: the count of values tells the stretches apart.
            stretches = table.mutate(
                **{
                    f"__stretch_{i}": table[name]
                    .count()
                    .over(ibis.window(group_by=groups, order_by=order, preceding=None, following=0))
                    for i, name in enumerate(self.columns)
                }
            )
            changed = {
                name: stretches[name]
                .max()
                .over(ibis.window(group_by=[*(stretches[one] for one in self.group_by), stretches[f"__stretch_{i}"]]))
                for i, name in enumerate(self.columns)
            }
            return stretches.mutate(**changed).drop(*(f"__stretch_{i}" for i in range(len(self.columns))))

        return in_order(tables[0], filled)


class Interpolate(Operator):
    """Fill missing numbers on a straight line between the values before and after.

    Rows are taken in the order of a column of numbers or moments, whose distances count; or as they come, at equal
    distances. Missing values before the first and after the last value stay missing.
    """

    op = "interpolate"
    title = "Interpolate missing values"
    family = "missing"

    columns: list[str] = pick_columns("number", description="The columns to fill.")
    order_by: str | None = pick_column(
        "number", "datetime", "date", default=None, description="What orders the rows; none takes them as they come."
    )
    group_by: list[str] = pick_columns(default=[], minimum=0, description="Rows are filled within these groups.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Interpolate {', '.join(self.columns)}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Weigh the neighbours by their distances."""
        import ibis

        def filled(table: ir.Table) -> ir.Table:
            place = table[ROW].cast("float64")
            if self.order_by is not None:
                key = table[self.order_by]
                is_number = kind_of(key.type()) == "number"
                place = key.cast("float64") if is_number else key.cast("timestamp(6)").epoch_seconds().cast("float64")
            table = table.mutate(__place=place)
            groups = [table[name] for name in self.group_by]
            order = [table["__place"], table[ROW]]
            before = ibis.window(group_by=groups, order_by=order, preceding=None, following=0)
            after = ibis.window(group_by=groups, order_by=order, preceding=0, following=None)
            for i, name in enumerate(self.columns):
                known = table[name].cast("float64")
                at = ibis.ifelse(known.notnull(), table["__place"], ibis.null("float64"))
                table = table.mutate(
                    **{f"__from_{i}": at.max().over(before), f"__to_{i}": at.min().over(after), f"__v_{i}": known}
                )
            inner = ["__place"]
            for i, name in enumerate(self.columns):
                groups = [table[one] for one in self.group_by]
                low = table[f"__v_{i}"].max().over(ibis.window(group_by=[*groups, table[f"__from_{i}"]]))
                high = table[f"__v_{i}"].max().over(ibis.window(group_by=[*groups, table[f"__to_{i}"]]))
                width = table[f"__to_{i}"] - table[f"__from_{i}"]
                share = (table["__place"] - table[f"__from_{i}"]) / width.nullif(0.0)
                table = table.mutate(**{name: table[f"__v_{i}"].coalesce(low + (high - low) * share)})
                inner += [f"__from_{i}", f"__to_{i}", f"__v_{i}"]
            return table.drop(*inner)

        return in_order(tables[0], filled)
