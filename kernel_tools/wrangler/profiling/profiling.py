"""Profile the columns of a table, one after the other, so that a caller shows each as it comes and may stop between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.kinds import Kind, kind_of
from kernel_tools.wrangler.operators.base import require_column
from kernel_tools.wrangler.profiling.column_profile import ColumnProfile
from kernel_tools.wrangler.profiling.large import profile_large_numbers
from kernel_tools.wrangler.profiling.numbers import profile_numbers
from kernel_tools.wrangler.profiling.texts import profile_categories

LARGE = 20_000_000
"""Rows of numbers beyond which the engine sorts and groups, which takes longer but may use its temporary files."""

_ORDERED: frozenset[Kind] = frozenset({"number", "datetime", "date"})


def profile(
    engine: Engine, table: str, columns: Sequence[str] | None = None, *, bins: int = 20, top: int = 10
) -> list[ColumnProfile]:
    """Return the exact profile of columns of a table.

    Parameters
    ----------
    engine, table
        Where the table is, and its name.
    columns
        Their names, in the order in which they are wanted; None for all.
    bins
        Bins of a histogram, 1 to 1,000.
    top
        How many of the most frequent values, 0 to 1,000.

    Raises
    ------
    InvalidArgumentError
        If there is no such column, or a number is out of its range.
    StoppedError
        If `Engine.interrupt` was called.
    """
    return list(iterate_profiles(engine, table, columns, bins=bins, top=top))


def iterate_profiles(
    engine: Engine, table: str, columns: Sequence[str] | None = None, *, bins: int = 20, top: int = 10
) -> Iterator[ColumnProfile]:
    """Profile column by column; see `profile`."""
    import pyarrow as pa

    if not 1 <= bins <= 1_000 or not 0 <= top <= 1_000:
        raise InvalidArgumentError(f"bins has to be 1 to 1000 and top 0 to 1000, they are {bins} and {top}.")
    data = engine.table(table)
    schema = data.schema()
    wanted = schema.names if columns is None else columns
    for name in wanted:
        require_column(schema, name, field="columns")
    rows = int(engine.arrow(data.aggregate(n=data.count()))["n"][0].as_py())
    for name in wanted:
        pa.default_memory_pool().release_unused()  # so that no column pays for the one before
        kind = kind_of(schema[name])
        if kind not in _ORDERED:
            yield profile_categories(engine, data[name], kind, rows=rows, top=top)
        elif rows > LARGE:
            yield profile_large_numbers(engine, data[name], kind, rows=rows, bins=bins, top=top)
        else:
            yield profile_numbers(engine, data[name], kind, rows=rows, bins=bins, top=top)
