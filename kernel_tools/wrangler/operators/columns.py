"""Operators on columns as a whole: choose, name, order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import (
    Operator,
    State,
    StepError,
    hinted,
    pick_column,
    pick_columns,
    require_column,
    with_columns,
)
from kernel_tools.wrangler.operators.naming import require_new_names

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Select(Operator):
    """Keep some columns, in the order given."""

    op = "select"
    title = "Select columns"
    family = "columns"

    columns: list[str] = pick_columns(description="The columns to keep, in their new order.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Keep {', '.join(self.columns)}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a column twice."""
        super().check(*schemas)
        _require_once(self.columns, "columns")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Project."""
        return tables[0].select(*self.columns)


class Drop(Operator):
    """Remove columns."""

    op = "drop"
    title = "Drop columns"
    family = "columns"

    columns: list[str] = pick_columns(description="The columns to remove.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Drop {', '.join(self.columns)}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse to remove all columns."""
        super().check(*schemas)
        if set(schemas[0].names) <= set(self.columns):
            raise StepError("This would drop every column. Leave at least one.", field="columns")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Project the rest."""
        return tables[0].drop(*self.columns)


class Rename(Operator):
    """Give columns other names; they keep their places, and two may swap their names."""

    op = "rename"
    title = "Rename columns"
    family = "columns"

    names: dict[str, str] = hinted("rename", description="The new name of each column, by its old one.", min_length=1)

    def sentence(self) -> str:
        """Name the columns."""
        return f"Rename {', '.join(f'{old} to {new}' for old, new in self.names.items())}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse columns that are not there, and names that are taken."""
        for old in self.names:
            require_column(schemas[0], old, field="names")
        require_new_names(schemas[0], self.names.values(), field="names", replaced=self.names)

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Rename."""
        return tables[0].rename({new: old for old, new in self.names.items()})


class Duplicate(Operator):
    """Copy a column under another name, to the end."""

    op = "duplicate"
    title = "Duplicate column"
    family = "columns"

    column: str = pick_column(description="The column to copy.")
    name: str = hinted("new_column", description="The name of the copy.")

    def sentence(self) -> str:
        """Name both."""
        return f"Copy {self.column} to {self.name}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a name that is taken."""
        super().check(*schemas)
        require_new_names(schemas[0], [self.name], field="name")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Copy."""
        return with_columns(tables[0], {self.name: tables[0][self.column]})


class Move(Operator):
    """Move columns to another place; several keep the order in which they are given."""

    op = "move"
    title = "Move columns"
    family = "columns"

    columns: list[str] = pick_columns(description="The columns to move.")
    to: Literal["start", "end", "before", "after", "index"] = Field("start", description="Where they go.")
    anchor: str | None = pick_column(default=None, description="For before and after: the column beside which they go.")
    index: int = Field(0, ge=0, description="For index: how many other columns come before them.")

    def sentence(self) -> str:
        """Say what goes where."""
        where = {"start": "to the start", "end": "to the end", "index": f"behind the first {self.index} columns"}
        return f"Move {', '.join(self.columns)} {where.get(self.to, f'{self.to} {self.anchor}')}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a place that is not there."""
        super().check(*schemas)
        _require_once(self.columns, "columns")
        if self.to in ("before", "after") and self.anchor is None:
            raise StepError(f"Say which column they go {self.to}.", field="anchor")
        if self.to in ("before", "after") and self.anchor in self.columns:
            raise StepError(f"{self.anchor!r} is moved itself. Choose a column that stays.", field="anchor")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Project in the new order."""
        others = [name for name in tables[0].columns if name not in self.columns]
        if self.to in ("before", "after"):
            place = others.index(str(self.anchor)) + (self.to == "after")
        else:
            place = {"start": 0, "end": len(others), "index": self.index}[self.to]
        return tables[0].select(*others[:place], *self.columns, *others[place:])


def _require_once(columns: list[str], field: str) -> None:
    for place, name in enumerate(columns):
        if name in columns[:place]:
            raise StepError(f"{name!r} is named twice.", field=field)
