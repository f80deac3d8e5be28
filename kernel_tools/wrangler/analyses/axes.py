"""Axes and groups of figures: which bin or category a row falls in, said as an expression, so that the engine counts.

Numbers and times fall in bins of equal width from the smallest to the largest value; whole numbers and dates in bins of
whole width. Categories are the most frequent values; all others are one category, and missing values another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.wrangler.analyses.base import finite, read_rows
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.kinds import Kind, kind_of

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np

    Array = np.ndarray[Any, Any]

DRAWN: tuple[Kind, ...] = ("number", "string", "boolean", "date", "datetime")
"""Kinds of columns that an axis can have."""
MEASURED: tuple[Kind, ...] = ("number", "date", "datetime")
"""Kinds that have a scale."""

_DAY = 86_400


@dataclass(frozen=True)
class Bins:
    """Bins of numbers or times.

    Attributes
    ----------
    name, kind
        The column.
    key
        The number of the bin; missing where the value is.
    edges
        Floats of shape (bins + 1,): the last bin has its upper edge, the others have not. Times are seconds since 1970.
    """

    name: str
    kind: Kind
    key: ir.Column
    edges: Array

    @property
    def size(self) -> int:
        """How many bins there are."""
        return len(self.edges) - 1

    @property
    def ticks(self) -> list[Any]:
        """The middles of the bins, as a figure takes them."""
        return as_ticks(self.edges[:-1] / 2 + self.edges[1:] / 2, self.kind)

    @property
    def labels(self) -> list[str]:
        """What the bins hold, in words."""
        ends = as_ticks(self.edges, self.kind)
        if self.kind == "number":
            ends = [f"{end:.6g}" for end in ends]
        return [f"{low} to {high}" for low, high in zip(ends[:-1], ends[1:], strict=True)]

    def places(self, keys: Sequence[Any]) -> Array:
        """Return the places of keys on the axis."""
        import numpy as np

        return np.asarray(keys, dtype=np.int64)


@dataclass(frozen=True)
class Categories:
    """The most frequent values of a column, the others, the missing ones.

    Attributes
    ----------
    name, kind
        The column.
    key
        The value as text; missing values stay so.
    labels
        The values, the most frequent first, then the names for all others and for missing values, if there are such.
    other, missing
        The places of these two; None if there are none.
    """

    name: str
    kind: Kind
    key: ir.Column
    labels: list[str]
    other: int | None
    missing: int | None

    @property
    def size(self) -> int:
        """How many categories there are."""
        return len(self.labels)

    @property
    def ticks(self) -> list[Any]:
        """The names, as a figure takes them."""
        return list(self.labels)

    def places(self, keys: Sequence[Any]) -> Array:
        """Return the places of keys on the axis."""
        import numpy as np

        known = {label: place for place, label in enumerate(self.labels) if place not in (self.other, self.missing)}
        found = [self.missing if key is None else known.get(key, self.other) for key in keys]
        return np.asarray(found, dtype=np.int64)


Axis = Bins | Categories


def make_axis(engine: Engine, table: ir.Table, name: str, *, bins: int, most: int = 30) -> Axis:
    """Return bins of a column with a scale, or the categories of another, at most `most` with a name.

    Raises
    ------
    InvalidDataError
        If a column with a scale has no value.
    """
    if kind_of(table.schema()[name]) in MEASURED:
        return make_bins(engine, table, name, bins)
    return make_categories(engine, table, name, most)


def make_bins(engine: Engine, table: ir.Table, name: str, bins: int) -> Bins:
    """Return at most `bins` bins of equal width; see `make_axis`."""
    import numpy as np

    column = table[name]
    kind, numbers = kind_of(column.type()), as_number(column)
    ends = read_rows(engine, table.aggregate(low=numbers.min(), high=numbers.max()))[0]
    low, high = ends["low"], ends["high"]
    if low is None:
        raise InvalidDataError(f"The column {name!r} has no value: there is nothing to draw. Choose another column.")
    unit = _DAY if kind == "date" else 1 if column.type().is_integer() else None
    if unit is not None and (high - low) / unit < 2**52:
        width = unit * math.ceil(((high - low) / unit + 1) / bins)
        count = math.ceil((high - low + unit) / width)
        start = low if unit < width or kind == "date" else low - width / 2
        edges = start + width * np.arange(count + 1, dtype=float)
        key = ((numbers - start) / width).floor()
    elif low == high:
        edges, key = np.asarray([low - 0.5, low + 0.5]), numbers * 0
    elif math.isinf(high - low):
        width, count = high / bins - low / bins, bins
        edges, key = np.linspace(low / 2, high / 2, bins + 1) * 2, (numbers / width - low / width).floor()
    else:
        count, width = bins, (high - low) / bins
        edges = np.linspace(low, high, bins + 1)
        key = ((numbers - low) / width).floor() if width else numbers * 0
    last = len(edges) - 2
    return Bins(name, kind, (key > last).ifelse(last, key).cast("int64"), edges)


def make_categories(engine: Engine, table: ir.Table, name: str, most: int) -> Categories:
    """Return the `most` most frequent values, of equally frequent ones the first by their text; see `make_axis`."""
    import ibis

    column = table[name]
    text = key = column.cast("string")
    counted = table.group_by(value=text).agg(n=table.count())
    known = counted.filter(counted["value"].notnull())
    top = read_rows(engine, known.order_by([ibis.desc("n"), ibis.asc("value")]).limit(most))
    facts = read_rows(engine, table.aggregate(n=table.count(), known=column.count()))[0]
    names = [row["value"] for row in top]
    other = missing = None
    if sum(row["n"] for row in top) < facts["known"]:
        others = _unused("(other)", names)
        key = ibis.cases((text.isnull(), ibis.null("string")), (text.isin(names), text), else_=others)
        other, names = len(names), [*names, others]
    if facts["known"] < facts["n"]:
        missing, names = len(names), [*names, _unused("(missing)", names)]
    return Categories(name, kind_of(column.type()), key, names, other, missing)


def count_cells(
    engine: Engine, table: ir.Table, axes: Sequence[Axis], figures: dict[str, ir.Scalar] | None = None
) -> dict[str, Array]:
    """Compute figures of the rows of each cell of the axes, by one query.

    Returns
    -------
    dict
        ``n`` (whole numbers) and the figures (NaN where a cell has no row), of the shape of the axes. Rows whose value
        falls in no bin are in no cell.
    """
    import numpy as np

    keys = {f"k{place}": axis.key for place, axis in enumerate(axes)}
    known = [axis.key.notnull() for axis in axes if isinstance(axis, Bins)]
    rows = table.filter(*known) if known else table
    counted = rows.group_by(**keys).agg(n=rows.count(), **(figures or {}))
    found = engine.arrow(counted)
    shape = tuple(axis.size for axis in axes)
    where = tuple(axis.places(found[f"k{place}"].to_pylist()) for place, axis in enumerate(axes))
    cells = {"n": np.zeros(shape, dtype=np.int64)}
    np.add.at(cells["n"], where, found["n"].to_numpy())
    for name in figures or ():
        cells[name] = np.full(shape, np.nan)
        cells[name][where] = np.asarray(found[name].to_pylist(), dtype=float)
    return cells


def as_number(column: ir.Column) -> ir.Column:
    """Return numbers as finite floats and times as seconds since 1970 UTC (whole ones)."""
    if column.type().is_date():
        column = column.cast("timestamp")
    return column.epoch_seconds().cast("float64") if column.type().is_timestamp() else finite(column)


def as_ticks(numbers: Array, kind: Kind) -> list[Any]:
    """Return places of an axis as a figure takes them: numbers, or times in ISO 8601."""
    import numpy as np

    if kind == "number":
        return [float(number) for number in numbers]
    times = np.round(np.asarray(numbers) * 1e6).astype("int64").astype("datetime64[us]")
    is_whole = kind == "date" and not (np.asarray(numbers) % _DAY).any()
    return [str(time) for time in np.datetime_as_string(times, unit="D" if is_whole else "s")]


def _unused(name: str, names: Sequence[str]) -> str:
    while name in names:
        name = f"({name})"
    return name
