"""Rows of a table as a matrix for the models of the checks: numbers as they are, categories as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.kinds import Kind, kind_of
from kernel_tools.wrangler.operators.base import ROW, require_column
from kernel_tools.wrangler.operators.chance import PRIME, score
from kernel_tools.wrangler.profiling.texts import without_dictionaries

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Array = np.ndarray[Any, Any]

Task = Literal["classification", "regression"]

MOST_CATEGORIES = 255
"""Categories of a column that have a code of their own, the most frequent first; all others share one."""

MOST_CLASSES = 20
"""A target of whole numbers with more different values than this is predicted as a number."""

_LARGEST = 3e38
_MODELLED: frozenset[Kind] = frozenset({"number", "boolean", "string", "date", "datetime", "time"})


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, or all.

    Attributes
    ----------
    data
        Their columns, and their numbers in the table (from 0) as the column `ROW`.
    total
        How many rows the table has.
    """

    data: pa.Table
    total: int

    @property
    def n(self) -> int:
        """How many these are."""
        return int(self.data.num_rows)

    @property
    def is_exact(self) -> bool:
        """Whether they are all."""
        return self.n == self.total

    @property
    def numbers(self) -> Array:
        """Their places in the table."""
        numbers: Array = self.data[ROW].to_numpy()
        return numbers


@dataclass(frozen=True)
class Features:
    """A matrix of features.

    Attributes
    ----------
    names
        The columns, in the order of the matrix.
    matrix
        Floats of shape (rows, columns), NaN where a value is missing. Dates are seconds since 1970 UTC.
    categories
        For a column of categories, what its codes 0, 1, ... stand for, the most frequent first; None for others. The
        code after the last stands for all that are left.
    left_out
        Columns that no model takes, with the reason.
    """

    names: list[str]
    matrix: Array
    categories: list[list[str] | None]
    left_out: dict[str, str]


@dataclass(frozen=True)
class Target:
    """What is predicted: floats, or codes of `classes` (by name); `is_known` says which rows have it."""

    task: Task
    values: Array
    classes: list[str]
    is_known: Array


def take_rows(engine: Engine, table: str, columns: Sequence[str], *, rows: int | None, seed: int) -> Rows:
    """Return all rows of a table, or about `rows` of them by chance; the same seed takes the same."""
    import ibis

    data = engine.table(table)
    for name in columns:
        require_column(data.schema(), name)
    total = int(engine.arrow(data.aggregate(n=data.count()))["n"][0].as_py())
    numbered = data.select(*columns, **{ROW: ibis.row_number()}) if columns else data.select(**{ROW: ibis.row_number()})
    if rows is not None and rows < total:
        numbered = numbered.filter(score(numbered[ROW], seed) < int(PRIME * (rows / total)))
    return Rows(without_dictionaries(engine.arrow(numbered)), total)


def make_features(engine: Engine, table: str, rows: Rows, columns: Sequence[str]) -> Features:
    """Return the columns of `rows` as a matrix; texts of which more than half are different are left out."""
    import numpy as np
    import pyarrow.compute as pc

    schema = engine.table(table).schema()
    names: list[str] = []
    parts: list[Array] = []
    categories: list[list[str] | None] = []
    left_out: dict[str, str] = {}
    for name in columns:
        kind, column = kind_of(schema[name]), rows.data[name]
        if kind not in _MODELLED:
            left_out[name] = "no model takes its type"
            continue
        if kind in ("string", "boolean"):
            known = rows.n - column.null_count
            if kind == "string" and known > 50 and pc.count_distinct(column).as_py() > known / 2:
                left_out[name] = "almost every text is different"
                continue
            codes, labels = encode(column)
            parts.append(codes)
            categories.append(labels)
        else:
            parts.append(as_floats(column, kind))
            categories.append(None)
        names.append(name)
    matrix = np.column_stack(parts) if parts else np.empty((rows.n, 0))
    return Features(names, matrix, categories, left_out)


def encode(column: pa.ChunkedArray, most: int = MOST_CATEGORIES) -> tuple[Array, list[str]]:
    """Return the codes of a column's values by their frequency (ties by value), NaN for none, and the values."""
    import numpy as np
    import pyarrow.compute as pc

    counts = sorted(
        ((row["counts"], row["values"]) for row in pc.value_counts(column).to_pylist() if row["values"] is not None),
        key=lambda pair: (-pair[0], pair[1]),
    )
    kept = [value for _, value in counts[:most]]
    import pyarrow as pa

    places = pc.index_in(column, value_set=pa.array(kept, column.type))
    codes = places.to_pandas().to_numpy(dtype=float, na_value=np.nan)
    if len(counts) > most:
        codes = np.where(np.isnan(codes) & ~column.is_null().to_numpy(), float(most), codes)
    return codes, [str(value) for value in kept]


def as_floats(column: pa.ChunkedArray, kind: Kind) -> Array:
    """Return numbers as floats and times as seconds, NaN for what is missing or infinite.

    Models have 32-bit floats inside: what is too large for these becomes their largest.
    """
    import numpy as np
    import pyarrow as pa

    if kind in ("date", "datetime"):
        moment = pa.timestamp("us", column.type.tz if kind == "datetime" else None)
        column = column.cast(moment, safe=False).cast(pa.int64())
    elif kind == "time":
        column = column.cast(pa.time64("us"), safe=False).cast(pa.int64())
    values = np.array(column.cast(pa.float64(), safe=False).to_numpy(), dtype=float)
    values[~np.isfinite(values)] = np.nan
    return np.clip(values, -_LARGEST, _LARGEST) if kind == "number" else values / 1e6


def read_target(engine: Engine, table: str, rows: Rows, target: str, task: Task | None) -> Target:
    """Return the target of `rows`; without a `task` it is told from the values, see `MOST_CLASSES`.

    Raises
    ------
    InvalidArgumentError
        If it cannot be predicted: of a type that no model takes, text for a regression, or fewer than two values.
    """
    import numpy as np

    kind, column = kind_of(engine.table(table).schema()[target]), rows.data[target]
    if kind not in _MODELLED:
        raise InvalidArgumentError(
            f"{target!r} is of a type that cannot be predicted. Cast it, or choose another target."
        )
    task = task or infer_task(column, kind)
    if task == "regression":
        if kind in ("string", "boolean"):
            raise InvalidArgumentError(f"{target!r} holds no numbers: choose the task 'classification'.")
        values = as_floats(column, kind)
        classes: list[str] = []
    else:
        values, classes = encode(column, most=2**31)
    is_known = ~np.isnan(values)
    if len(np.unique(values[is_known])) < 2:
        raise InvalidArgumentError(f"{target!r} has fewer than two different values: there is nothing to predict.")
    return Target(task, values, classes, is_known)


def infer_task(column: pa.ChunkedArray, kind: Kind) -> Task:
    """Tell the task: text, true and false, and few whole numbers are classes; anything else is a number."""
    import numpy as np

    if kind in ("string", "boolean"):
        return "classification"
    values = np.unique(as_floats(column, kind))
    values = values[~np.isnan(values)]
    is_class = kind == "number" and len(values) <= MOST_CLASSES and bool((values == np.round(values)).all())
    return "classification" if is_class else "regression"
