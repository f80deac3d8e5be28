"""Operators that compute a column: by a formula, by cases, by intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from kernel_tools.wrangler.operators.base import Operator, State, StepError, hinted, pick_column, values, with_columns
from kernel_tools.wrangler.operators.constants import Scalar
from kernel_tools.wrangler.operators.naming import require_new_names

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Formula(Operator):
    """Compute a column from others, with an expression of SQL; see `kernel_tools.wrangler.formula`.

    The name of a column that there is replaces it, in its place.
    """

    op = "formula"
    title = "Compute with a formula"
    family = "columns"

    name: str = hinted("new_column", description="The column that is computed.")
    formula: str = hinted("formula", description="An expression over the columns, as in income / 12.")

    def sentence(self) -> str:
        """Show the formula."""
        return f"Compute {self.name} = {self.formula}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a formula that does not fit."""
        from kernel_tools.wrangler.formula import formula

        require_new_names(schemas[0], [self.name], field="name", may_replace=True)
        formula(self.formula, schemas[0])

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compute."""
        from kernel_tools.wrangler.formula import formula

        return with_columns(tables[0], {self.name: formula(self.formula, tables[0])})


class Branch(BaseModel):
    """A condition and what it gives."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    when: str = hinted("formula", description="A condition on the columns, as in age < 18.")
    then: Scalar | None = Field(description="The value if it is true; none is a missing value.")


class Case(Operator):
    """Give each row the value of the first condition that is true.

    A condition on a missing value is not true.
    """

    op = "case"
    title = "Choose by conditions"
    family = "columns"

    name: str = hinted("new_column", description="The column that is computed; it may replace one.")
    branches: list[Branch] = Field(description="The conditions, in their order.", min_length=1, max_length=100)
    otherwise: Scalar | None = Field(None, description="The value of all other rows; none is a missing value.")

    def sentence(self) -> str:
        """Show the branches."""
        chosen = [f"{branch.then!r} where {branch.when}" for branch in self.branches]
        return f"Set {self.name} to {', '.join(chosen)}, else {self.otherwise!r}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse conditions that do not fit, and values of several kinds."""
        from kernel_tools.wrangler.formula import condition

        require_new_names(schemas[0], [self.name], field="name", may_replace=True)
        for branch in self.branches:
            condition(branch.when, schemas[0], field="branches")
        there = [value for value in self._values if value is not None]
        if not there:
            raise StepError("No branch has a value.", field="branches")
        if len({_kind(value) for value in there}) > 1:
            raise StepError(
                "The values are of several kinds. Write them all as text, or all as numbers.", field="branches"
            )

    @property
    def _values(self) -> list[Scalar | None]:
        return [*(branch.then for branch in self.branches), self.otherwise]

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Choose."""
        import ibis

        from kernel_tools.wrangler.formula import condition

        is_float = any(isinstance(value, float) for value in self._values)
        written = [float(value) if is_float and value is not None else value for value in self._values]
        branches = zip((condition(branch.when, tables[0]) for branch in self.branches), written, strict=False)
        *_, last = written
        chosen = ibis.cases(*branches) if last is None else ibis.cases(*branches, else_=last)
        return with_columns(tables[0], {self.name: chosen})


def _kind(value: Scalar) -> str:
    return "text" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"


class Bin(Operator):
    """Put numbers into intervals, named by text such as ``[18, 65)``.

    The lower end of an interval belongs to it, the upper end does not; the first and the last interval are open, so
    that every number has one. A missing value stays missing.
    """

    op = "bin"
    title = "Bin numbers"
    family = "columns"
    learns = True

    column: str = pick_column("number", description="The numbers.")
    method: Literal["edges", "width"] = Field(
        "edges", description="Between edges that are given, or of equal width between the smallest and largest value."
    )
    edges: list[float] = Field([], max_length=1000, description="For edges: where one interval ends and one begins.")
    count: int = Field(10, ge=2, le=1000, description="For width: how many intervals.")
    labels: list[str] = Field([], description="Names of the intervals, one more than edges.")
    name: str | None = hinted("new_column", default=None, description="The new column; by default it replaces the old.")

    def sentence(self) -> str:
        """Say which intervals."""
        how = f"at {', '.join(f'{edge:g}' for edge in self.edges)}" if self.method == "edges" else "of equal width"
        return f"Bin {self.column} {how}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse edges that do not rise, and labels that are too few or many."""
        super().check(*schemas)
        if self.name is not None:
            require_new_names(schemas[0], [self.name], field="name", may_replace=True)
        if self.method == "edges":
            if not self.edges:
                raise StepError("Give at least one edge.", field="edges")
            if any(upper <= lower for lower, upper in zip(self.edges, self.edges[1:], strict=False)):
                raise StepError("The edges have to rise.", field="edges")
        wanted = len(self.edges) + 1 if self.method == "edges" else self.count
        if self.labels and len(self.labels) != wanted:
            raise StepError(f"{wanted} intervals need {wanted} labels, here are {len(self.labels)}.", field="labels")

    def learn(self, *tables: ir.Table) -> State:
        """Return the edges."""
        if self.method == "edges":
            return {"edges": self.edges}
        column = tables[0][self.column].cast("float64")
        ends = values(tables[0], low=column.min(), high=column.max())
        if ends["low"] is None or ends["low"] == ends["high"]:
            return {"edges": []}
        width = (ends["high"] - ends["low"]) / self.count
        return {"edges": [ends["low"] + place * width for place in range(1, self.count)]}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with the edges."""
        import ibis

        column, edges = tables[0][self.column], state["edges"]
        labels = self.labels or _labels(edges)
        if not edges:
            chosen = ibis.cases((column.notnull(), labels[0]))
        else:
            below = [(column < edge, label) for edge, label in zip(edges, labels, strict=False)]
            chosen = ibis.cases(*below, (column >= edges[-1], labels[len(edges)]))
        return with_columns(tables[0], {self.name or self.column: chosen})


def _labels(edges: list[float]) -> list[str]:
    if not edges:
        return ["any"]
    written = [f"{edge:.6g}" for edge in edges]
    if len(set(written)) < len(written):
        written = [repr(edge) for edge in edges]
    between = [f"[{lower}, {upper})" for lower, upper in zip(written, written[1:], strict=False)]
    return [f"< {written[0]}", *between, f">= {written[-1]}"]
