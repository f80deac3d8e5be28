"""Operators that make one table of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import (
    ROW,
    Operator,
    State,
    StepError,
    hinted,
    named,
    pick_columns,
    require_column,
    with_columns,
)
from kernel_tools.wrangler.operators.naming import require_new_names
from kernel_tools.wrangler.operators.rows import without_duplicates

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

_RIGHT_ROW, _KEY, _TABLE = "__right_row__", "__key_{}__", "__table__"


class Join(Operator):
    """Put the columns of a second table beside the rows of the first that have the same keys.

    A missing key is equal to none. The rows are in the order of the first table, those of one row in the order of the
    second; rows of the second table alone (right, outer) come last. The keys keep the names of the first table; other
    columns of the second whose names are taken get the suffix.
    """

    op = "join"
    title = "Join tables"
    family = "combine"
    row_effect = "other"
    arity = (2, 2)

    how: Literal["inner", "left", "right", "outer", "semi", "anti", "cross"] = Field(
        "inner",
        description="Which rows stay: those with a partner (inner), all of the first table (left), of the second "
        "(right), of both (outer); rows of the first that have a partner (semi) or none (anti), without new columns; "
        "or every pair (cross).",
    )
    keys: list[str] = pick_columns(default=[], minimum=0, description="The columns of the first table to compare.")
    right_keys: list[str] = hinted(
        "right_columns", default=[], description="Their partners in the second table; by default of the same names."
    )
    suffix: str = Field("_right", min_length=1, description="Goes behind names of the second table that are taken.")

    def sentence(self) -> str:
        """Name the kind and the keys."""
        if self.how == "cross":
            return "Combine every row with every row of the second table"
        pairs = zip(self.keys, self._right_keys, strict=True)
        named = [left if left == right else f"{left} = {right}" for left, right in pairs]
        return f"Join ({self.how}) the second table on {', '.join(named)}"

    @property
    def _right_keys(self) -> list[str]:
        return self.right_keys or self.keys

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse keys that cannot be compared, and names that come twice."""
        super().check(*schemas)
        if self.how == "cross":
            if self.keys:
                raise StepError("A cross join compares no keys. Remove them, or choose 'inner'.", field="keys")
        elif not self.keys:
            raise StepError("Say which columns are compared.", field="keys")
        if len(self._right_keys) != len(self.keys):
            raise StepError(
                f"There are {len(self.keys)} keys and {len(self._right_keys)} partners. Name one for each.",
                field="right_keys",
            )
        for left, right in zip(self.keys, self._right_keys, strict=True):
            require_column(schemas[1], right, field="right_keys")
            if kind_of(schemas[0][left]) != kind_of(schemas[1][right]):
                raise StepError(
                    f"{left!r} is of type {schemas[0][left]} and {right!r} of {schemas[1][right]}: they are never "
                    "equal. Change the type of one first.",
                    field="right_keys",
                )
        if self.how not in ("semi", "anti"):
            require_new_names(schemas[0], self._names(schemas[0], schemas[1]).values(), field="suffix")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Number the rows of both, join, order."""
        import ibis

        left, right = tables
        new = self._names(left.schema(), right.schema())
        partners = {
            _KEY.format(place): right[name].cast(_common(left[key].type(), right[name].type()))
            for place, (key, name) in enumerate(zip(self.keys, self._right_keys, strict=True))
        }
        numbered = left.mutate(**{ROW: ibis.row_number()})
        if self.how in ("semi", "anti"):
            others = right.select(named(partners))
        else:
            kept = {name: right[old] for old, name in new.items()}
            others = right.select(named({**partners, **kept, _RIGHT_ROW: ibis.row_number()}))
        tests = [numbered[key] == others[partner] for key, partner in zip(self.keys, partners, strict=True)]
        joined = numbered.join(others, tests, how=self.how) if tests else numbered.cross_join(others)
        if self.how in ("semi", "anti"):
            return joined.order_by(ROW).drop(ROW)
        if self.how in ("right", "outer"):
            pairs = zip(self.keys, partners, strict=True)
            joined = with_columns(joined, {key: ibis.coalesce(joined[key], joined[partner]) for key, partner in pairs})
        return joined.order_by([ROW, _RIGHT_ROW]).select(*left.columns, *new.values())

    def _names(self, left: ibis.Schema, right: ibis.Schema) -> dict[str, str]:
        """Return the new name of each column of the second table that is no key."""
        taken = {name.lower() for name in left.names}
        others = [name for name in right.names if self.how == "cross" or name not in self._right_keys]
        return {name: name + self.suffix if name.lower() in taken else name for name in others}


def _common(left: Any, right: Any) -> Any:
    import ibis.expr.datatypes as dt

    return right if left.copy(nullable=True) == right.copy(nullable=True) else dt.highest_precedence((left, right))


class Concatenate(Operator):
    """Put the rows of further tables behind those of the first.

    Columns belong together by their names, and come in the order in which they are first met. Whole numbers beside
    floats become floats; other types have to be of one kind.
    """

    op = "concatenate"
    title = "Concatenate tables"
    family = "combine"
    row_effect = "other"
    arity = (2, 20)

    columns: Literal["all", "common"] = Field(
        "all", description="All columns, missing where a table has none; or those that every table has."
    )
    source: str | None = hinted(
        "new_column", default=None, description="A new column that says where a row comes from."
    )
    labels: list[str] = Field([], description="What it says of each table; by default 1, 2, ...")
    duplicates: Literal["keep", "remove"] = Field(
        "keep", description="Whether of equal rows the first alone stays; where a row comes from does not count."
    )

    def sentence(self) -> str:
        """Say what is done."""
        without = ", without duplicates" if self.duplicates == "remove" else ""
        return f"Concatenate the tables{without}" + (f", source in {self.source}" if self.source else "")

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse columns of several kinds, and labels that are too few or many."""
        if self.labels and len(self.labels) != len(schemas):
            raise StepError(f"{len(schemas)} tables need {len(schemas)} labels.", field="labels")
        columns = self._columns(schemas)
        if not columns:
            raise StepError("The tables have no column in common.", field="columns")
        for name in columns:
            types = [schema[name] for schema in schemas if name in schema and not schema[name].is_null()]
            if len({kind_of(dtype) for dtype in types}) > 1:
                listed = " and ".join(dict.fromkeys(str(dtype) for dtype in types))
                raise StepError(f"{name!r} is of the types {listed}. Change one first.", field=None)
        if self.source is not None:
            import ibis

            there = ibis.schema({name: "string" for name in columns})
            require_new_names(there, [self.source], field="source")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Bring all to the same columns, unite, order."""
        import ibis

        schemas = [table.schema() for table in tables]
        columns = self._columns(schemas)
        types = {name: _widest([schema[name] for schema in schemas if name in schema]) for name in columns}
        parts = []
        for place, table in enumerate(tables):
            chosen = {
                name: table[name].cast(types[name]) if name in table.columns else ibis.null(types[name])
                for name in columns
            }
            if self.source is not None:
                chosen[self.source] = ibis.literal(self.labels[place] if self.labels else str(place + 1))
            numbered = table.select(named({**chosen, _TABLE: ibis.literal(place), ROW: ibis.row_number()}))
            parts.append(numbered)
        united = ibis.union(*parts).order_by([_TABLE, ROW]).drop(_TABLE, ROW)
        return without_duplicates(united, columns) if self.duplicates == "remove" else united

    def _columns(self, schemas: Sequence[ibis.Schema]) -> list[str]:
        names = list(dict.fromkeys(name for schema in schemas for name in schema.names))
        return [name for name in names if self.columns == "all" or all(name in schema for schema in schemas)]


def _widest(types: Sequence[Any]) -> Any:
    import ibis.expr.datatypes as dt

    return dt.highest_precedence([dtype.copy(nullable=True) for dtype in types])
