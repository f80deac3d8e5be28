"""Which rows of a source are taken: by arithmetic on their numbers, so the same seed takes the same rows for ever.

Each row has a key, SplitMix64 (Steele, Lea and Flood, 2014) of its number and the seed; the rows with the smallest keys
are taken, in their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.document import Sampling
from kernel_tools.wrangler.engine import quoted

if TYPE_CHECKING:
    from kernel_tools.wrangler.engine import Engine

Rows = NDArray[np.int64]


def random_rows(count: int, rows: int, seed: int) -> Rows:
    """Return `rows` of the numbers 0 to `count` - 1, sorted; all of them if there are no more."""
    if rows >= count:
        return np.arange(count)
    return np.sort(np.argpartition(_keys(count, seed), rows)[:rows])


def stratified_rows(codes: Rows, rows: int, seed: int) -> Rows:
    """Return `rows` row numbers, sorted, with the shares that the strata have in all rows.

    Parameters
    ----------
    codes
        The stratum of each row, from 0. Shape (rows of the source,).

    Notes
    -----
    Each stratum gets the whole part of its due, and those with the largest remainders (of equal ones the first) one
    more until there are `rows`.
    """
    if rows >= len(codes):
        return np.arange(len(codes))
    sizes = np.bincount(codes)
    due = sizes * (rows / len(codes))
    taken = np.floor(due).astype(np.int64)
    most = np.argsort(-(due - taken), kind="stable")[: rows - taken.sum()]
    taken[most] += 1
    order = np.lexsort((_keys(len(codes), seed), codes))
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    ranks = np.arange(len(codes)) - np.repeat(starts, sizes)
    return np.sort(order[ranks < np.repeat(taken, sizes)])


def take(engine: Engine, name: str, sampling: Sampling) -> None:
    """Replace a table or view by the rows of it that `sampling` takes.

    Raises
    ------
    InvalidArgumentError
        If the column of the strata is missing, or has a value for every row.
    """
    if sampling.method == "none":
        return
    if sampling.method == "first":
        _keep(engine, name, f"SELECT * FROM {quoted(name)} LIMIT {sampling.rows}")
        return
    if sampling.method == "random":
        with engine.running():
            count = engine.connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchall()[0][0]
        chosen = random_rows(count, sampling.rows, sampling.seed)
    else:
        codes = _strata(engine, name, sampling)
        count = len(codes)
        chosen = stratified_rows(codes, sampling.rows, sampling.seed)
    if len(chosen) < count:
        _keep_rows(engine, name, chosen)


def _strata(engine: Engine, name: str, sampling: Sampling) -> Rows:
    import pyarrow.compute as pc

    with engine.running():
        columns = [row[0] for row in engine.connection.execute(f"DESCRIBE {quoted(name)}").fetchall()]
    if sampling.column is None or sampling.column not in columns:
        raise InvalidArgumentError(
            f"The stratified sample needs a column to go by: {sampling.column!r} is not one of "
            f"{', '.join(columns[:20])}."
        )
    with engine.running():
        text = f"SELECT CAST({quoted(sampling.column)} AS VARCHAR) AS stratum FROM {quoted(name)}"
        values = engine.connection.sql(text).to_arrow_table().column(0)
    known = values.unique()
    known = known.take(pc.sort_indices(known))
    codes: Rows = pc.index_in(values, value_set=known).to_numpy().astype(np.int64)
    if len(codes) and codes.max() >= sampling.rows:
        raise InvalidArgumentError(
            f"{sampling.column!r} has {codes.max() + 1:,} values, more than the {sampling.rows:,} rows of the sample: "
            "take more rows, or a column with fewer values."
        )
    return codes


def _keep_rows(engine: Engine, name: str, chosen: Rows) -> None:
    import pyarrow as pa

    numbers = engine.new_name("chosen")
    number = engine.new_name("row number")
    with engine.running():
        engine.connection.register(numbers, pa.table({"number": chosen + 1}))
    _keep(
        engine,
        name,
        f"SELECT * EXCLUDE ({quoted(number)}) FROM "
        f"(SELECT *, row_number() OVER () AS {quoted(number)} FROM {quoted(name)}) "
        f"WHERE {quoted(number)} IN (SELECT number FROM {quoted(numbers)}) ORDER BY {quoted(number)}",
    )
    with engine.running():
        engine.connection.unregister(numbers)


def _keep(engine: Engine, name: str, select: str) -> None:
    """Make what a SELECT takes of `name` the table of this name."""
    kept = engine.new_name("kept")
    with engine.running():
        connection = engine.connection
        connection.execute(f"CREATE TABLE {quoted(kept)} AS {select}")
        kind = connection.execute("SELECT table_type FROM information_schema.tables WHERE table_name = ?", [name])
        connection.execute(f"DROP {'VIEW' if kind.fetchall()[0][0] == 'VIEW' else 'TABLE'} {quoted(name)}")
        connection.execute(f"ALTER TABLE {quoted(kept)} RENAME TO {quoted(name)}")


def _keys(count: int, seed: int) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        value = np.arange(count, dtype=np.uint64) + np.uint64(_mixed(seed))
        value = (value + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return value ^ (value >> np.uint64(31))


def _mixed(seed: int) -> int:
    """Return a number of 64 bits that seeds next to each other do not have near each other."""
    value = (seed * 0xD1342543DE82EF95 + 0x2545F4914F6CDD1D) % 2**64
    return (value ^ (value >> 32)) * 0xDABA0B6EB09322E3 % 2**64
