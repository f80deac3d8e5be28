"""The operator that replaces categories by what is known of the target for them."""

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
    rows_of,
)
from kernel_tools.wrangler.operators.chance import score, seed_field
from kernel_tools.wrangler.operators.encoding import looked_up

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

MOST_CATEGORIES = 1_000
"""The most categories of a column that are told apart, by frequency."""


class TargetEncode(Operator):
    """Replace each category by the mean of the target for it, drawn towards the mean of all rows.

    With ``auto`` the weight of a category follows from the variances (empirical Bayes [1]_); a number m weighs the mean
    of all as m rows. The rows that are learned from get the value of other parts of the table (cross-fitting), so that
    the target does not leak into its own row; new rows get that of the whole table. Missing values are a category of
    their own, unknown ones get the mean of all.

    References
    ----------
    .. [1] D. Micci-Barreca: A preprocessing scheme for high-cardinality categorical attributes. SIGKDD Explorations 3
       (2001); scikit-learn: `sklearn.preprocessing.TargetEncoder`.
    """

    op = "target_encode"
    title = "Target encode"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns("string", "boolean", "number", description="The columns to encode.")
    target: str = pick_column("number", "boolean", "string", description="What is to be predicted.")
    positive: str | None = Field(None, description="Of a target of text: the value that counts as 1.")
    smoothing: Literal["auto"] | float = Field("auto", description="auto, or how many rows the mean of all weighs as.")
    folds: int = Field(5, ge=2, le=20, description="Parts of the table for cross-fitting.")
    seed: int = seed_field()

    def sentence(self) -> str:
        """Name the columns and the target."""
        return f"Replace {', '.join(self.columns)} by the mean of {self.target}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse the target among the columns, and text without a value that counts."""
        super().check(*schemas)
        if self.target in self.columns:
            raise StepError("The target cannot be encoded by itself.", field="columns")
        if kind_of(schemas[0][self.target]) == "string" and self.positive is None:
            raise StepError(f"{self.target!r} holds text: say which value counts as 1.", field="positive")

    def learn(self, *tables: ir.Table) -> State:
        """Return the values of each category: for the whole table, and for the table without each part."""
        table = self._numbered(tables[0])
        prior: dict[str, Any] = {}
        sums = rows_of(table.group_by("fold__").agg(n=table.y__.count(), s=table.y__.sum(), q=(table.y__**2).sum()))
        folds: list[int | None] = [None, *range(self.folds)]
        for fold in folds:
            kept = [row for row in sums if row["fold__"] != fold]
            n, total, squares = (sum(row[key] or 0 for row in kept) for key in ("n", "s", "q"))
            mean = total / n if n else 0.0
            prior[str(fold)] = (mean, max(squares / n - mean**2, 0.0) if n else 0.0)
        encoded: dict[str, dict[str, list[list[Any]]]] = {}
        for name in self.columns:
            known = table.filter(table.y__.notnull())
            groups = rows_of(
                known.group_by([name, "fold__"]).agg(n=known.y__.count(), s=known.y__.sum(), q=(known.y__**2).sum())
            )
            encoded[name] = {str(fold): self._means(groups, name, fold, *prior[str(fold)]) for fold in folds}
        return {"values": encoded, "prior": {fold: mean for fold, (mean, _) in prior.items()}}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look up what all rows together have taught."""
        table = tables[0]
        return table.mutate(**{name: self._value(table[name], name, None, state) for name in self.columns})

    def build_training(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look up what the other parts have taught."""
        import ibis

        def encoded(numbered: ir.Table) -> ir.Table:
            fold = self._fold(numbered[ROW])
            parts = {
                name: ibis.cases(
                    *(
                        (fold == number, self._value(numbered[name], name, number, state))
                        for number in range(self.folds)
                    )
                )
                for name in self.columns
            }
            return numbered.mutate(**parts)

        return in_order(tables[0], encoded)

    def _numbered(self, table: ir.Table) -> ir.Table:
        import ibis

        target = table[self.target]
        is_text = target.type().is_string()
        y = (target == self.positive).cast("float64") if is_text else target.cast("float64")
        numbered = table.mutate(**{ROW: ibis.row_number(), "y__": y})
        return numbered.mutate(fold__=self._fold(numbered[ROW]))

    def _fold(self, row: ir.IntegerValue) -> ir.IntegerValue:
        return score(row.cast("int64"), self.seed) % self.folds

    def _means(
        self, groups: list[dict[str, Any]], name: str, fold: int | None, mean: float, variance: float
    ) -> list[list[Any]]:
        sums: dict[Any, list[float]] = {}
        for row in groups:
            if row["fold__"] != fold:
                one = sums.setdefault(row[name], [0, 0.0, 0.0])
                for i, key in enumerate(("n", "s", "q")):
                    one[i] += row[key] or 0
        found = []
        for value, (n, total, squares) in sums.items():
            inner = max(squares - total**2 / n, 0.0)
            if self.smoothing == "auto":
                weight = variance * n / (variance * n + inner / n) if variance or inner else 0.0
                found.append([value, weight * total / n + (1 - weight) * mean, n])
            else:
                found.append([value, (total + self.smoothing * mean) / (n + self.smoothing), n])
        found.sort(key=lambda one: (-one[2], str(one[0])))
        return [[value, number] for value, number, _ in found[:MOST_CATEGORIES]]

    def _value(self, column: ir.Value, name: str, fold: int | None, state: State) -> ir.Value:
        import ibis

        prior = ibis.literal(float(state["prior"][str(fold)]))
        pairs = state["values"][name][str(fold)]
        missing = next((number for value, number in pairs if value is None), None)
        found = looked_up(column, {value: number for value, number in pairs if value is not None}, prior, prior)
        return found if missing is None else ibis.ifelse(column.isnull(), float(missing), found)
