"""Sums of products of columns over all rows, a block of rows at a time: what correlations of numbers are made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.analyses.base import finite, read_rows
from kernel_tools.wrangler.engine import Engine

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np

    Array = np.ndarray[Any, Any]

_BLOCK = 65_536


@dataclass(frozen=True)
class Moments:
    """What is known of pairs of columns.

    Attributes
    ----------
    correlations
        Pearson's, of shape (columns, columns), from the rows that have both; NaN where one of them does not vary.
    counts
        How many rows these are.
    """

    correlations: Array
    counts: Array


def pair_moments(engine: Engine, table: ir.Table, columns: Sequence[str], *, complete: bool = False) -> Moments:
    """Return the correlations of columns of numbers; with `complete` from the rows that have a value of all.

    Values are centred and scaled by the mean and deviation of their column before they are multiplied, so that large
    means lose no digits.
    """
    import numpy as np

    numbers = table.select(**{f"c{place}": finite(table[name]) for place, name in enumerate(columns)})
    if complete:
        numbers = numbers.filter(*[numbers[name].notnull() for name in numbers.columns])
    spread = read_rows(
        engine,
        numbers.aggregate(
            **{f"m_{name}": numbers[name].mean() for name in numbers.columns},
            **{f"s_{name}": numbers[name].std(how="pop") for name in numbers.columns},
        ),
    )[0]
    mean = np.asarray([spread[f"m_{name}"] or 0.0 for name in numbers.columns])
    scale = np.asarray([spread[f"s_{name}"] or 1.0 for name in numbers.columns])
    n, sums, squares, products = (np.zeros((len(columns), len(columns))) for _ in range(4))
    for block in number_blocks(engine, numbers):
        values = (block - mean) / scale
        known = ~np.isnan(values)
        values[~known] = 0.0
        mask = known.astype(float)
        n += mask.T @ mask
        sums += values.T @ mask
        squares += (values * values).T @ mask
        products += values.T @ values
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = products - sums * sums.T / n
        variance = squares - sums * sums / n
        variance[variance <= 1e-12 * n] = np.nan
        found = np.clip(covariance / np.sqrt(variance * variance.T), -1.0, 1.0)
    np.fill_diagonal(found, np.where(np.isnan(np.diag(found)), np.nan, 1.0))
    return Moments(found, n.astype(np.int64))


def number_blocks(engine: Engine, numbers: ir.Table) -> Iterator[Array]:
    """Compute columns of floats, a block of rows at a time, NaN where a value is missing."""
    import numpy as np

    with engine.running():
        reader = engine.connection.sql(engine.sql(numbers)).to_arrow_reader(_BLOCK)
        for batch in reader:
            yield np.column_stack([column.to_numpy(zero_copy_only=False).astype(float) for column in batch.columns])
