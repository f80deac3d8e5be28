"""What an analysis is: parameters that are checked, and the figure, table and facts that come of a table with them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators.base import check_columns

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
    import pandas as pd
    import plotly.graph_objects as go

LARGEST = 1.7976931348623157e308
"""The largest number that is not infinite."""

MOST_ROWS = 1_000
"""Rows of a result's table that `AnalysisResult.to_dict` gives."""


@dataclass(frozen=True)
class AnalysisResult:
    """What an analysis has found.

    Attributes
    ----------
    figure
        None if the table says it all.
    table
        The numbers behind it, for those that want to read them; None where the figure has them all.
    facts
        Single numbers and words, by name.
    exact, n
        Whether all rows were used, and how many were.
    notes
        What was left out, put together or not drawn, in sentences.
    """

    figure: go.Figure | None
    table: pd.DataFrame | None
    facts: dict[str, Any]
    exact: bool
    n: int
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types; of the table the first `MOST_ROWS` rows, and how many it has."""
        from kernel_tools.core.figures import figure_json

        shown = None
        if self.table is not None:
            rows = self.table.head(MOST_ROWS).astype(object).to_numpy().tolist()
            shown = {
                "columns": [str(name) for name in self.table.columns],
                "rows": [[_plain(value) for value in row] for row in rows],
                "total": len(self.table),
            }
        return {
            "figure": None if self.figure is None else figure_json(self.figure),
            "table": shown,
            "facts": {name: _plain(value) for name, value in self.facts.items()},
            "exact": self.exact,
            "n": self.n,
            "notes": self.notes,
        }


class Analysis(BaseModel):
    """Base of all analyses: the fields of each are its parameters.

    Class attributes
    ----------------
    kind, title
        The name in recipes and in Python, and what the studio calls it.
    runs_code
        Whether it runs code that somebody wrote: such an analysis of a file runs only when it is trusted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: ClassVar[str]
    title: ClassVar[str]
    runs_code: ClassVar[bool] = False

    def check(self, schema: ibis.Schema) -> None:
        """Refuse parameters that do not fit the table.

        Raises
        ------
        StepError
            With the field, the column, and the columns that there are.
        """
        check_columns(self, schema)

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Return what comes of a table of the engine; `check` was called."""
        raise NotImplementedError


def read_rows(engine: Engine, expression: ir.Table) -> list[dict[str, Any]]:
    """Compute a small table as a list of plain dictionaries."""
    rows: list[dict[str, Any]] = engine.arrow(expression).to_pylist()
    return rows


def count_rows(engine: Engine, table: ir.Table) -> int:
    """Return how many rows there are."""
    return int(read_rows(engine, table.aggregate(n=table.count()))[0]["n"])


def finite(column: ir.Column) -> ir.Column:
    """Return numbers as floats, those that are infinite or not a number as missing."""
    import ibis

    numbers = column.cast("float64")
    if not column.type().is_floating():
        return numbers
    return numbers.between(-LARGEST, LARGEST).ifelse(numbers, ibis.null("float64"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "item"):
        return _plain(value.item())
    return None if value != value else str(value)
