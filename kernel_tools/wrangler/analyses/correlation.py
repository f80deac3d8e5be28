"""Correlation: how much columns say about each other, numbers and categories."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.core.figures import new_figure
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult, count_rows, finite, read_rows
from kernel_tools.wrangler.analyses.moments import number_blocks, pair_moments
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import pick_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np

    Array = np.ndarray[Any, Any]

MOST_COLUMNS = 60
"""Columns that are compared: the first of them."""
MOST_CATEGORIES = 200
"""A text with more different values is no category here."""


class Correlation(Analysis):
    """Measure each pair of columns, in the rows that have a value of both.

    ``pearson`` and ``spearman`` (ranks, ties have their mean) for numbers; ``cramers_v`` (without correction for bias)
    for categories; ``correlation_ratio`` (eta: the root of the share of a number's variance that is between the
    categories) for a number and a category. ``mixed`` takes Pearson, Cramer's V and eta as the pair is.
    """

    kind = "correlation"
    title = "Correlation"

    columns: list[str] | None = pick_columns(
        "number",
        "string",
        "boolean",
        default=None,
        description="The columns to compare; none takes all that fit the method, at most 60.",
        minimum=2,
    )
    method: Literal["mixed", "pearson", "spearman", "cramers_v", "correlation_ratio"] = Field(
        "mixed", description="The measure; 'mixed' takes one that fits each pair."
    )

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Compute all pairs, and draw them as a matrix."""
        import numpy as np
        import pandas as pd

        data = engine.table(table)
        numbers, categories, notes = self._split(engine, data)
        names = [*numbers, *categories]
        if len(names) < 2:
            raise InvalidDataError(f"The method {self.method!r} needs two columns that fit it; choose another method.")
        matrix = np.full((len(names), len(names)), np.nan)
        k = len(numbers)
        if k and self.method != "correlation_ratio":
            compute = _spearman if self.method == "spearman" else _pearson
            matrix[:k, :k] = compute(engine, data, numbers)
        if categories and self.method != "correlation_ratio":
            matrix[k:, k:] = _cramers_v(engine, data, categories)
        if k and categories:
            matrix[:k, k:] = _ratios(engine, data, numbers, categories)
            matrix[k:, :k] = matrix[:k, k:].T
        figure = new_figure(title="Correlation")
        figure.add_heatmap(
            x=names,
            y=names,
            z=matrix,
            zmin=-1,
            zmax=1,
            colorscale="RdBu",
            text=[["" if np.isnan(value) else f"{value:.2f}" for value in row] for row in matrix],
            texttemplate="%{text}" if len(names) <= 15 else None,
            hovertemplate="%{y}, %{x}: %{z:.4f}<extra></extra>",
        )
        figure.update_xaxes(type="category")
        figure.update_yaxes(type="category", autorange="reversed")
        figure.update_layout(height=max(360, 140 + 22 * len(names)))
        n = count_rows(engine, data)
        pairs = [
            (abs(matrix[i, j]), i, j) for i, j in combinations(range(len(names)), 2) if matrix[i, j] == matrix[i, j]
        ]
        strongest = [
            {"columns": [names[i], names[j]], "value": float(matrix[i, j])}
            for _, i, j in sorted(pairs, key=lambda pair: -pair[0])[:10]
        ]
        frame = pd.DataFrame(matrix, columns=names)
        frame.insert(0, "column", names)
        return AnalysisResult(figure, frame, {"method": self.method, "strongest": strongest}, True, n, notes)

    def _split(self, engine: Engine, data: ir.Table) -> tuple[list[str], list[str], list[str]]:
        """Return the columns of numbers, those of categories, and what was left out."""
        schema = data.schema()
        notes = []
        kinds = {name: kind_of(schema[name]) for name in (self.columns or schema.names)}
        numbers = [name for name, kind in kinds.items() if kind == "number"] if self.method != "cramers_v" else []
        texts = [name for name, kind in kinds.items() if kind in ("string", "boolean")]
        if self.method in ("pearson", "spearman"):
            texts = []
        if self.method == "cramers_v" and self.columns:
            texts = list(kinds)
        if texts:
            distinct = read_rows(
                engine, data.aggregate(**{f"d{i}": data[name].nunique() for i, name in enumerate(texts)})
            )
            many = [name for i, name in enumerate(texts) if distinct[0][f"d{i}"] > MOST_CATEGORIES]
            texts = [name for name in texts if name not in many]
            if many:
                notes.append(f"Left out, with more than {MOST_CATEGORIES} categories: {', '.join(many)}.")
        if len(numbers) + len(texts) > MOST_COLUMNS:
            notes.append(f"Only {MOST_COLUMNS} of {len(numbers) + len(texts)} columns are compared.")
        return numbers[:MOST_COLUMNS], texts[: MOST_COLUMNS - len(numbers[:MOST_COLUMNS])], notes


def _pearson(engine: Engine, data: ir.Table, names: Sequence[str]) -> Array:
    return pair_moments(engine, data, names).correlations


def _spearman(engine: Engine, data: ir.Table, names: Sequence[str]) -> Array:
    """Rank each column once; for a pair the ranks of the rows that have both follow from the counts of its values."""
    import numpy as np

    numbers = data.select(**{f"c{place}": finite(data[name]) for place, name in enumerate(names)})
    values = np.concatenate(list(number_blocks(engine, numbers)) or [np.empty((0, len(names)))])
    known = ~np.isnan(values)
    codes = np.empty(values.shape, dtype=np.int32)
    for place in range(len(names)):
        chosen = known[:, place]
        codes[chosen, place] = np.unique(values[chosen, place], return_inverse=True)[1]
    del values
    matrix = np.eye(len(names))
    for first, second in combinations(range(len(names)), 2):
        both = known[:, first] & known[:, second]
        one, other = (_ranks(codes[both, place]) for place in (first, second))
        one, other = one - one.mean() if len(one) else one, other - other.mean() if len(other) else other
        size = np.sqrt((one @ one) * (other @ other))
        matrix[first, second] = matrix[second, first] = (one @ other) / size if size else np.nan
    return matrix


def _ranks(codes: Array) -> Array:
    import numpy as np

    counts = np.bincount(codes)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[codes])


def _cramers_v(engine: Engine, data: ir.Table, names: Sequence[str]) -> Array:
    import numpy as np
    import pandas as pd

    matrix = np.eye(len(names))
    for first, second in combinations(range(len(names)), 2):
        pair = data.select(a=data[names[first]], b=data[names[second]])
        pair = pair.filter(pair["a"].notnull(), pair["b"].notnull())
        found = pd.DataFrame(read_rows(engine, pair.group_by("a", "b").agg(n=pair.count())), columns=["a", "b", "n"])
        counts = found.pivot(index="a", columns="b", values="n").fillna(0).to_numpy(dtype=float)
        matrix[first, second] = matrix[second, first] = cramers_v(counts)
    return matrix


def cramers_v(counts: Array) -> float:
    """Return Cramer's V of a table of counts; NaN if a side has one category only."""
    import numpy as np

    smaller = min(counts.shape) - 1
    if smaller < 1:
        return float("nan")
    n = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    return float(np.sqrt(((counts - expected) ** 2 / expected).sum() / n / smaller))


def _ratios(engine: Engine, data: ir.Table, numbers: Sequence[str], categories: Sequence[str]) -> Array:
    """Return eta, of shape (numbers, categories), by one query for each column of categories."""
    import numpy as np

    matrix = np.full((len(numbers), len(categories)), np.nan)
    for column, name in enumerate(categories):
        rows = data.filter(data[name].notnull())
        values = [finite(rows[number]) for number in numbers]
        figures: dict[str, Any] = {}
        for place, value in enumerate(values):
            figures |= {f"n{place}": value.count(), f"m{place}": value.mean(), f"v{place}": value.var(how="pop")}
        found = read_rows(engine, rows.group_by(group=rows[name]).agg(**figures))
        for place in range(len(numbers)):
            n, mean, variance = (
                np.asarray([row[f"{key}{place}"] for row in found if row[f"n{place}"]], dtype=float) for key in "nmv"
            )
            if len(n) > 1:
                middle = (n * mean).sum() / n.sum()
                between, within = (n * (mean - middle) ** 2).sum(), (n * variance).sum()
                matrix[place, column] = np.sqrt(between / (between + within)) if between + within > 0 else np.nan
    return matrix
