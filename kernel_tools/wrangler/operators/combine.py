"""Operators that make one table of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import ROW, Operator, State, StepError, hinted, pick_columns, require_column
from kernel_tools.wrangler.operators.naming import require_new_names

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

_RIGHT_ROW, _KEY = "__right_row__", "__key_{}__"


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
            others = right.select(**partners)
        else:
            kept = {name: right[old] for old, name in new.items()}
            others = right.select(**partners, **kept, **{_RIGHT_ROW: ibis.row_number()})
        tests = [numbered[key] == others[partner] for key, partner in zip(self.keys, partners, strict=True)]
        joined = numbered.join(others, tests, how=self.how) if tests else numbered.cross_join(others)
        if self.how in ("semi", "anti"):
            return joined.order_by(ROW).drop(ROW)
        if self.how in ("right", "outer"):
            pairs = zip(self.keys, partners, strict=True)
            joined = joined.mutate(**{key: ibis.coalesce(joined[key], joined[partner]) for key, partner in pairs})
        return joined.order_by([ROW, _RIGHT_ROW]).select(*left.columns, *new.values())

    def _names(self, left: ibis.Schema, right: ibis.Schema) -> dict[str, str]:
        """Return the new name of each column of the second table that is no key."""
        taken = {name.lower() for name in left.names}
        others = [name for name in right.names if self.how == "cross" or name not in self._right_keys]
        return {name: name + self.suffix if name.lower() in taken else name for name in others}


def _common(left: Any, right: Any) -> Any:
    import ibis.expr.datatypes as dt

    return right if left.copy(nullable=True) == right.copy(nullable=True) else dt.highest_precedence((left, right))
