"""The profile of numbers, dates and date-times: the different values, sorted, and their counts tell everything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.kinds import Kind
from kernel_tools.wrangler.profiling.column_profile import ColumnProfile, Histogram, TopValue, Value

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np

    Array = np.ndarray[Any, Any]

ORDERS = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""The orders of the quantiles of a profile."""

_DENSE = 4
"""Whole numbers whose range is at most this many times their number are counted, not sorted."""
_BLOCK = 65_536
"""Values that are raised to powers at a time."""


def profile_numbers(engine: Engine, column: ir.Column, kind: Kind, *, rows: int, bins: int, top: int) -> ColumnProfile:
    """Return the profile of a column; numbers that fit no 64-bit integer are taken as floats."""
    import numpy as np

    values, counts = distinct_counts(column_values(engine, column, kind))
    count, invalid = int(counts.sum()), 0
    if values.dtype.kind == "f":  # -inf comes first, then the finite, inf, and NaN last
        low, high, last = np.searchsorted(values, [np.finfo(values.dtype).min, np.inf, np.nan], side="left")
        count = int(counts[:last].sum())
        values, counts = values[low:high], counts[low:high]
        invalid = count - int(counts.sum())
    known = ColumnProfile(
        name=column.get_name(),
        type=str(column.type()),
        kind=kind,
        n=rows,
        count=count,
        missing=rows - count,
        invalid=invalid,
    )
    return describe_counts(known, values, counts, bins=bins, top=top)


def column_values(engine: Engine, column: ir.Column, kind: Kind) -> Array:
    """Return the values that are not missing as numbers; dates and date-times as microseconds since 1970 UTC."""
    import numpy as np

    dtype = column.type()
    if kind in ("date", "datetime"):
        column = column.cast("timestamp('UTC')" if kind == "datetime" and dtype.timezone else "timestamp")
    elif not (dtype.is_floating() or dtype.is_signed_integer() or dtype.is_unsigned_integer() and dtype.nbytes < 8):
        column = column.cast("float64")
    table = column.name("value").as_table()
    data = engine.arrow(table.filter(table["value"].notnull()))["value"]
    if kind in ("date", "datetime"):
        import pyarrow as pa

        data = data.cast(pa.timestamp("us")).cast(pa.int64()) if data.type.tz is None else _instants(data)
    parts = [chunk.to_numpy(zero_copy_only=False) for chunk in data.chunks]
    if not parts:
        return np.empty(0, dtype=np.int64)
    return np.concatenate(parts)


def _instants(data: Any) -> Any:
    import pyarrow as pa

    return data.cast(pa.timestamp("us", "UTC")).cast(pa.int64())


def distinct_counts(values: Array) -> tuple[Array, Array]:
    """Return the different values, sorted, and how often each occurs; `values` may be sorted in place."""
    import numpy as np

    if len(values) and values.dtype.kind != "f":
        low, high = int(values.min()), int(values.max())
        if high - low <= _DENSE * len(values):
            counts = np.bincount(values - low)
            places = np.flatnonzero(counts)
            return places + low, counts[places]
    values.sort()
    is_start = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=is_start[1:])
    starts = np.flatnonzero(is_start)
    return values[starts], np.diff(starts, append=len(values))


def describe_counts(known: ColumnProfile, values: Array, counts: Array, *, bins: int, top: int) -> ColumnProfile:
    """Complete a profile by what different finite values, sorted, and their counts tell."""
    import numpy as np

    if not len(values):
        return known
    kind = known.kind
    ends = np.cumsum(counts)
    found = replace(
        known,
        distinct=len(values),
        unique=int(np.count_nonzero(counts == 1)),
        minimum=plain(values[0], kind),
        maximum=plain(values[-1], kind),
        quantiles={f"{order:g}": plain(_quantile(values, ends, order), kind) for order in ORDERS},
        histogram=_histogram(values, ends, bins, kind),
        top=[TopValue(plain(values[place], kind), int(counts[place])) for place in most_frequent(counts, top)],
    )
    if kind != "number":
        return found
    below, above = np.searchsorted(values, 0, "left"), np.searchsorted(values, 0, "right")
    negatives = int(ends[below - 1]) if below else 0
    return replace(found, zeros=int(counts[below:above].sum()), negatives=negatives, **moments(values, counts))


def most_frequent(counts: Array, top: int) -> list[int]:
    """Return the places of the largest counts, the largest first, ties in the order of their places."""
    import numpy as np

    if top == 0:
        return []
    if len(counts) <= top:
        return [int(place) for place in np.argsort(-counts, kind="stable")]
    limit = np.partition(counts, len(counts) - top)[len(counts) - top]
    larger = np.flatnonzero(counts > limit)
    equal = np.flatnonzero(counts == limit)[: top - len(larger)]
    places = [*larger[np.argsort(-counts[larger], kind="stable")], *equal]
    return [int(place) for place in places]


def moments(values: Array, counts: Array) -> dict[str, Any]:
    """Return mean, standard deviation (n - 1), skew and excess kurtosis (both without bias)."""
    import numpy as np

    n = int(counts.sum())
    if len(values) == 1:
        return {"mean": float(values[0]), "std": 0.0 if n > 1 else None, "skew": None, "kurtosis": None}
    scale = max(abs(float(values[0])), abs(float(values[-1])))
    scale = scale if scale > 1e70 or scale < 1e-70 else 1.0  # so that fourth powers stay within floats
    mean = float(np.einsum("i,i->", values / (scale * n), counts))
    second = third = fourth = 0.0
    for start in range(0, len(values), _BLOCK):
        deviations = values[start : start + _BLOCK] / scale - mean
        weighted = deviations * counts[start : start + _BLOCK]
        squares = deviations * deviations
        second += float(np.einsum("i,i->", weighted, deviations))
        third += float(np.einsum("i,i->", weighted, squares))
        squares *= squares
        fourth += float(np.einsum("i,i->", squares, counts[start : start + _BLOCK]))
    variance = second / (n - 1)
    skew = kurtosis = None
    if n > 2 and variance > 0:
        skew = n / ((n - 1) * (n - 2)) * third / variance**1.5
    if n > 3 and variance > 0:
        kurtosis = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * fourth / variance**2
        kurtosis -= 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    std = variance**0.5 * scale
    return {"mean": mean * scale, "std": std if np.isfinite(std) else None, "skew": skew, "kurtosis": kurtosis}


def plain(value: Any, kind: Kind) -> Value:
    """Return a number of numpy as JSON has it, or the time that it stands for as ISO 8601 text."""
    if kind == "number":
        number: Value = value.item() if hasattr(value, "item") else value
        return number
    import numpy as np

    moment = np.datetime64(round(float(value)) if isinstance(value, float) else int(value), "us")
    return str(moment.astype("datetime64[D]")) if kind == "date" else str(moment).removesuffix(".000000")


def bin_edges(low: Any, high: Any, bins: int, is_whole: bool) -> Array:
    """Return the edges of a histogram: equal widths, or one bin a whole number where there are few."""
    import numpy as np

    if is_whole and int(high) - int(low) < bins:
        return np.arange(int(low), int(high) + 2) if int(high) < 2**62 else np.array([low, high])
    if low == high:
        return np.array([low, high], dtype=float)
    edges = np.linspace(float(low) / 2, float(high) / 2, bins + 1) * 2
    edges[0], edges[-1] = float(low), float(high)
    return edges


def _histogram(values: Array, ends: Array, bins: int, kind: Kind) -> Histogram:
    import numpy as np

    edges = bin_edges(values[0], values[-1], bins, is_whole=values.dtype.kind != "f" and kind == "number")
    places = np.searchsorted(values, edges[1:-1], side="left")
    counts = np.diff(np.concatenate([[0], ends])[places], prepend=0, append=ends[-1])
    return Histogram([plain(edge, kind) for edge in edges], [int(count) for count in counts])


def _quantile(values: Array, ends: Array, order: float) -> Any:
    import numpy as np

    place = order * (int(ends[-1]) - 1)
    lower = int(place)
    low, high = values[np.searchsorted(ends, [lower, min(lower + 1, int(ends[-1]) - 1)], side="right")]
    share = place - lower
    return low if low == high or share == 0 else float(low) * (1 - share) + float(high) * share
