"""What steps learn about columns: figures of all of them by one query, and how often each category occurs."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from kernel_tools.wrangler.operators.base import StepError, rows_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

Key = TypeVar("Key", bound=Hashable)

UNION = 50
"""How many columns one query counts the categories of."""


def measure(table: ir.Table, wanted: Mapping[Key, ir.Scalar]) -> dict[Key, Any]:
    """Compute aggregates of a table in one pass, by keys of any kind, as plain Python values."""
    if not wanted:
        return {}
    row = table.aggregate([value.name(f"m{place}") for place, value in enumerate(wanted.values())])
    return dict(zip(wanted, rows_of(row)[0].values(), strict=True))


def require_finite(name: str, what: str, value: float | None) -> None:
    """Refuse a figure that has left the range of numbers.

    Raises
    ------
    StepError
        If `value` is infinite or not a number.
    """
    if value is not None and not math.isfinite(value):
        raise StepError(
            f"The {what} of {name!r} cannot be computed: the column holds infinite values, or values near the largest "
            "number that there is (1.8e308). Make them missing first, with the step 'outliers' and fixed bounds.",
            field="columns",
        )


def count_rows(group: ir.Table) -> ir.Scalar:
    """Return the number of rows of a group."""
    return group.count()


def by_category(
    table: ir.Table,
    columns: Sequence[str],
    figures: Mapping[str, Callable[[ir.Table], ir.Scalar]],
    *,
    groups: Sequence[str] = (),
    most: int | None = None,
    keep_missing: bool = False,
) -> dict[str, list[dict[str, Any]]]:
    """Compute figures of the rows of each category, for all columns by one query.

    Parameters
    ----------
    table
        The rows.
    columns
        The columns whose values are the categories.
    figures
        What is computed, by name; ``n`` is always.
    groups
        Columns that divide the rows of a category further.
    most
        At most so many categories of a column: the most frequent, of equally frequent ones the smallest values.
    keep_missing
        Whether a missing value is a category.

    Returns
    -------
    dict
        By column, dictionaries with ``value``, ``n``, the figures and the groups; the most frequent first, then by
        value, the missing one last.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in columns}
    names = list(found)
    for start in range(0, len(names), UNION):
        chunk = names[start : start + UNION]
        for row in rows_of(_union(table, chunk, {"n": count_rows, **figures}, groups, most, keep_missing)):
            place, slot = row.pop("place"), row.pop("slot")
            value = row[f"value_{slot}"]
            kept = {key: item for key, item in row.items() if not key.startswith("value_")}
            if isinstance(value, float):
                value += 0.0  # the negative zero is the same category
            found[chunk[place]].append({"value": value, **kept})
    for rows in found.values():
        rows.sort(key=_order)
    return found


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    value = row["value"]
    return (-row["n"], value is None, () if value is None else (value,))


def _union(
    table: ir.Table,
    columns: Sequence[str],
    figures: Mapping[str, Callable[[ir.Table], ir.Scalar]],
    groups: Sequence[str],
    most: int | None,
    keep_missing: bool,
) -> ir.Table:
    """Return one table of all categories; columns of another type have their values in another column of it."""
    import ibis

    types = list(dict.fromkeys(table[name].type() for name in columns))
    parts = []
    for place, name in enumerate(columns):
        slot = types.index(table[name].type())
        keys = {"value": table[name], **{one: table[one] for one in groups}}
        counted = table.group_by(**keys).agg(**{key: make(table) for key, make in figures.items()})
        if not keep_missing:
            counted = counted.filter(counted["value"].notnull())
        if most is not None:
            counted = counted.order_by([ibis.desc("n"), ibis.asc("value")]).limit(most)
        slots = {
            f"value_{other}": counted["value"] if other == slot else ibis.null(dtype)
            for other, dtype in enumerate(types)
        }
        parts.append(
            counted.select(
                place=ibis.literal(place),
                slot=ibis.literal(slot),
                **slots,
                **{key: counted[key] for key in figures},
                **{key: counted[key] for key in groups},
            )
        )
    return parts[0] if len(parts) == 1 else ibis.union(*parts)


def frequencies(table: ir.Table, columns: Sequence[str], most: int | None = None) -> dict[str, list[tuple[Any, int]]]:
    """Return the categories of each column and how often they occur, the most frequent first, ties by value."""
    found = by_category(table, columns, {}, most=most)
    return {name: [(row["value"], row["n"]) for row in rows] for name, rows in found.items()}
