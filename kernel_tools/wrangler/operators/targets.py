"""Target encoding: categories become what is to be predicted, on average, learned without the row itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    with_columns,
)
from kernel_tools.wrangler.operators.chance import score, seed_field
from kernel_tools.wrangler.operators.constants import Scalar
from kernel_tools.wrangler.operators.encoding import looked_up
from kernel_tools.wrangler.operators.statistics import by_category, count_rows, frequencies, require_finite

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

TARGET, FOLD = "__target__", "__fold__"

FIGURES: dict[str, Callable[[Any], Any]] = {
    "n": count_rows,
    "mean": lambda group: group[TARGET].mean(),
    "variance": lambda group: group[TARGET].var(how="pop"),
}


class TargetEncode(Operator):
    """Replace each category by the mean of the target in its rows, drawn towards the mean of all rows [1]_.

    The fewer rows a category has, the more it is drawn: by an empirical Bayes estimate, or by `smoothing` rows that
    have the mean of all, as scikit-learn's TargetEncoder does. A missing value is a category of its own. Rows without a
    target are not learned from.

    The rows that it learns from get values that were learned from the other folds: so a model that is trained on them
    does not see its own target. A fold is chosen for each row by its number and the seed. New rows get what was learned
    from all rows; a category that was never seen, or is not among the most frequent ones, gets the mean of all rows.

    References
    ----------
    .. [1] D. Micci-Barreca: A preprocessing scheme for high-cardinality categorical attributes in classification and
       prediction problems. SIGKDD Explorations 3 (2001).
    """

    op = "target_encode"
    title = "Target encode"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns("string", "boolean", "number", description="The columns to encode.")
    target: str = pick_column("number", "boolean", "string", description="What is to be predicted.")
    positive: Scalar | None = Field(
        None, description="The value of the target that counts as 1, all others as 0; of two texts by default the last."
    )
    smoothing: float | None = Field(
        None, ge=0, le=1e9, description="How many rows with the mean of all are added; none estimates it."
    )
    folds: int = Field(5, ge=2, le=20, description="Into how many parts the rows are divided.")
    max_categories: int = Field(1000, ge=1, le=5000, description="The most categories of a column, by frequency.")
    seed: int = seed_field()

    def sentence(self) -> str:
        """Name the columns and the target."""
        return f"Replace {', '.join(self.columns)} by the mean of {self.target} ({self.folds} folds)"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse to encode the target by itself, and a value of the target that it cannot have."""
        super().check(*schemas)
        if self.target in self.columns:
            raise StepError(f"The target {self.target!r} cannot be encoded by itself.", field="columns")
        kind = kind_of(schemas[0][self.target])
        if self.positive is not None and isinstance(self.positive, str) != (kind == "string"):
            raise StepError(f"{self.positive!r} is no value that {self.target!r} can have.", field="positive")

    def learn(self, *tables: ir.Table) -> State:
        """Return the values of each category: from all rows, and from all rows but those of each fold."""
        table, positive = tables[0], self._positive(tables[0])
        numbered = self._numbered(with_columns(table, {TARGET: _target(table[self.target], positive)}))
        rows = numbered.filter(numbered[TARGET].notnull())
        whole = _without(
            self._shares(rows_of(rows.group_by(FOLD).agg(**{key: of(rows) for key, of in FIGURES.items()})))
        )
        for one in whole:
            require_finite(self.target, "mean", one.mean)
            require_finite(self.target, "variance", one.variance)
        return {
            "positive": positive,
            "means": [one.mean if one.count else None for one in whole],
            "columns": {name: self._encoded(cells, whole) for name, cells in self._cells(rows).items()},
        }

    def _cells(self, rows: ir.Table) -> dict[str, list[dict[str, Any]]]:
        """Return by column the figures of each category in each fold; only the most frequent ones, and the missing."""
        top = frequencies(rows, self.columns, self.max_categories)
        full = {
            name: [value for value, _ in counts] for name, counts in top.items() if len(counts) == self.max_categories
        }
        found = by_category(rows, [name for name in top if name not in full], FIGURES, groups=[FOLD], keep_missing=True)
        for name, values in full.items():
            kept = rows.filter(rows[name].isnull() | rows[name].isin(values))
            found |= by_category(kept, [name], FIGURES, groups=[FOLD], keep_missing=True)
        return found

    def _shares(self, cells: list[dict[str, Any]]) -> list[Share]:
        """Return the figures of each fold."""
        shares = [NONE] * self.folds
        for cell in cells:
            shares[cell[FOLD]] = Share(cell["n"], cell["mean"], cell["variance"])
        return shares

    def _positive(self, table: ir.Table) -> Scalar | None:
        if self.positive is not None or kind_of(table[self.target].type()) != "string":
            return self.positive
        classes = sorted(value for value, _ in frequencies(table, [self.target], 3)[self.target])
        if len(classes) > 2:
            raise StepError(
                f"The target {self.target!r} has more than two classes. Say which one counts as 1 (positive), and add "
                "a step for each further one.",
                field="positive",
            )
        return classes[-1] if classes else None

    def _numbered(self, table: ir.Table) -> ir.Table:
        import ibis

        numbered = with_columns(table, {ROW: ibis.row_number()})
        return with_columns(numbered, {FOLD: score(numbered[ROW], self.seed) % self.folds})

    def _encoded(self, cells: list[dict[str, Any]], whole: list[Share]) -> dict[str, Any]:
        """Return the categories, the most frequent first, and for all rows and without each fold the values."""
        by_value: dict[Any, list[dict[str, Any]]] = {None: []}
        for cell in cells:
            by_value.setdefault(cell["value"], []).append(cell)
        shares = {value: _without(self._shares(some)) for value, some in by_value.items()}
        there = [value for value in shares if value is not None]
        categories = sorted(there, key=lambda value: (-shares[value][0].count, value))
        parts = range(len(whole))
        return {
            "categories": categories,
            "values": [[self._value(shares[one][part], whole[part]) for one in categories] for part in parts],
            "missing": [self._value(shares[None][part], whole[part]) for part in parts],
        }

    def _value(self, share: Share, whole: Share) -> float | None:
        if not share.count:
            return whole.mean if whole.count else None
        if self.smoothing is not None:
            weight = share.count / (share.count + self.smoothing)
        else:
            spread = whole.variance * share.count + share.variance
            weight = whole.variance * share.count / spread if spread else 0.0
        return weight * share.mean + (1 - weight) * whole.mean

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look each value up in what was learned from all rows."""
        table = tables[0]
        return with_columns(table, {name: self._looked_up(table[name], state, name, 0) for name in self.columns})

    def build_training(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look each value up in what was learned without the fold of its row."""
        import ibis

        def build(numbered: ir.Table) -> ir.Table:
            fold = score(numbered[ROW], self.seed) % self.folds
            parts = range(1, self.folds)
            return with_columns(
                numbered,
                {
                    name: ibis.cases(
                        *((fold == part - 1, self._looked_up(numbered[name], state, name, part)) for part in parts),
                        else_=self._looked_up(numbered[name], state, name, self.folds),
                    )
                    for name in self.columns
                },
            )

        return in_order(tables[0], build)

    def _looked_up(self, column: Any, state: State, name: str, part: int) -> Any:
        learned = state["columns"][name]
        values = dict(zip(learned["categories"], learned["values"][part], strict=True))
        return looked_up(column, values, state["means"][part], learned["missing"][part]).cast("float64")


@dataclass(frozen=True)
class Share:
    """Rows, the mean of the target there, and its variance (of the population)."""

    count: int
    mean: float
    variance: float


NONE = Share(0, 0.0, 0.0)


def _together(shares: list[Share]) -> Share:
    """Return count, mean and variance of the rows of several shares."""
    count = sum(share.count for share in shares)
    if not count:
        return NONE
    mean = math.fsum(share.count * share.mean for share in shares) / count
    squares = (share.count * (share.variance + (share.mean - mean) ** 2) for share in shares)
    return Share(count, mean, math.fsum(squares) / count)


def _without(shares: list[Share]) -> list[Share]:
    """Return all shares together, then all but each."""
    rest = [_together([*shares[:place], *shares[place + 1 :]]) for place in range(len(shares))]
    return [_together(shares), *rest]


def _target(column: Any, positive: Scalar | None) -> Any:
    if positive is not None:
        return (column == positive).cast("float64")
    return column.cast("float64") if not column.type().is_string() else column.isnull().ifelse(None, 0.0)
