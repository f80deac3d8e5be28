"""The profile of more numbers than fit in memory twice: the engine sorts and groups, with its temporary files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.kinds import Kind
from kernel_tools.wrangler.profiling.column_profile import ColumnProfile, Histogram, TopValue
from kernel_tools.wrangler.profiling.numbers import ORDERS, bin_edges, plain

if TYPE_CHECKING:
    import ibis.expr.types as ir


def profile_large_numbers(
    engine: Engine, column: ir.Column, kind: Kind, *, rows: int, bins: int, top: int
) -> ColumnProfile:
    """Return the same profile as `profile_numbers`, in three passes of the engine."""
    import ibis

    dtype = column.type()
    if kind != "number":
        value = column.cast("timestamp").epoch_seconds() * 1_000_000 + column.cast("timestamp").microsecond()
    else:
        value = column if dtype.is_integer() and not dtype.is_unsigned_integer() else column.cast("float64")
    table = value.name("value").as_table()
    table = table.filter(table["value"].notnull())
    if value.type().is_floating():
        table = table.filter(~table["value"].isnan())
    x = table["value"]
    finite = ~x.isinf() if value.type().is_floating() else ibis.literal(True)
    first = engine.arrow(
        table.aggregate(
            count=table.count(),
            good=finite.sum() if value.type().is_floating() else table.count(),
            low=x.min(where=finite),
            high=x.max(where=finite),
            mean=x.mean(where=finite),
            std=x.std(how="sample", where=finite),
            zeros=(x == 0).sum(),
            negatives=((x < 0) & finite).sum(),
            **{f"q{place}": x.quantile(order, where=finite) for place, order in enumerate(ORDERS)},
        )
    ).to_pylist()[0]
    known = ColumnProfile(
        name=column.get_name(),
        type=str(dtype),
        kind=kind,
        n=rows,
        count=first["count"],
        missing=rows - first["count"],
        invalid=first["count"] - (first["good"] or 0),
    )
    if not first["good"]:
        return known
    table = table.filter(finite) if value.type().is_floating() else table
    groups = table.group_by("value").aggregate(n=table.count())
    kinds = engine.arrow(groups.aggregate(distinct=groups.count(), unique=(groups["n"] == 1).sum())).to_pylist()[0]
    order = [groups["n"].desc(), groups["value"].asc()]
    most = engine.arrow(groups.order_by(order).limit(top)).to_pylist() if top else []
    known = replace(
        known,
        distinct=kinds["distinct"],
        unique=kinds["unique"],
        minimum=plain(first["low"], kind),
        maximum=plain(first["high"], kind),
        quantiles={f"{order:g}": plain(first[f"q{place}"], kind) for place, order in enumerate(ORDERS)},
        histogram=_histogram(engine, table, first["low"], first["high"], bins, kind),
        top=[TopValue(plain(row["value"], kind), row["n"]) for row in most],
    )
    if kind != "number":
        return known
    shape = _shape(engine, table, first["mean"], first["std"], first["good"])
    return replace(known, zeros=first["zeros"], negatives=first["negatives"], **shape)


def _histogram(engine: Engine, table: ir.Table, low: float, high: float, bins: int, kind: Kind) -> Histogram:
    import ibis

    is_whole = table["value"].type().is_integer() and kind == "number"
    edges = bin_edges(low, high, bins, is_whole)
    inner = [edge.item() for edge in edges[1:-1]]
    branches = [(table["value"] < edge, place) for place, edge in enumerate(inner)]
    place = ibis.cases(*branches, else_=len(inner)) if branches else ibis.literal(0)
    placed = table.mutate(place=place)
    placed = placed.group_by("place").aggregate(n=placed.count())
    counts = {row["place"]: row["n"] for row in engine.arrow(placed).to_pylist()}
    shown = [plain(edge, kind) for edge in edges]
    return Histogram(shown, [counts.get(place, 0) for place in range(len(edges) - 1)])


def _shape(engine: Engine, table: ir.Table, mean: float, std: float | None, n: int) -> dict[str, Any]:
    """Return the moments, from powers of the standardized values."""
    if not std:
        return {"mean": mean, "std": std, "skew": None, "kurtosis": None}
    z = (table["value"].cast("float64") - mean) / std
    sums = engine.arrow(table.aggregate(third=(z * z * z).sum(), fourth=(z * z * z * z).sum())).to_pylist()[0]
    skew = n / ((n - 1) * (n - 2)) * sums["third"] if n > 2 else None
    kurtosis = None
    if n > 3:
        kurtosis = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * sums["fourth"] - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return {"mean": mean, "std": std, "skew": skew, "kurtosis": kurtosis}
