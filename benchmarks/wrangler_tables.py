"""The tables that the Data Wrangler is measured with: 1M rows of 21 mixed columns, 5 % missing, and 10M rows of 10."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

ROWS = 1_000_000
MANY_ROWS = 10_000_000
CHUNK = 1_000_000
MISSING = 0.05
JOBS = (
    "clerk",
    "engineer",
    "farmer",
    "guard",
    "judge",
    "nurse",
    "pilot",
    "sailor",
    "teacher",
    "writer",
    "cook",
    "tailor",
)


def make_tables(folder: Path) -> None:
    """Write ``mixed.parquet``, ``mixed.csv`` and ``many.parquet``; the same bytes of data at every run."""
    mixed = _mixed(np.random.default_rng(0), ROWS)
    pq.write_table(mixed, folder / "mixed.parquet")
    pyarrow.csv.write_csv(mixed, folder / "mixed.csv")
    generator = np.random.default_rng(1)
    with pq.ParquetWriter(folder / "many.parquet", _many(np.random.default_rng(1), 1, 0).schema) as writer:
        for first in range(0, MANY_ROWS, CHUNK):
            writer.write_table(_many(generator, CHUNK, first))


def _mixed(generator: np.random.Generator, rows: int) -> pa.Table:
    columns: dict[str, object] = {"id": np.arange(rows)}
    for place in range(7):
        columns[f"x{place}"] = generator.normal(size=rows) * 10**place
    for place in range(3):
        columns[f"price{place}"] = np.round(generator.lognormal(size=rows) * 100, 2)
    for place in range(3):
        columns[f"count{place}"] = generator.integers(0, 10 ** (2 * place + 1), rows)
    columns["job"] = np.asarray(JOBS)[np.minimum(generator.geometric(0.2, rows) - 1, len(JOBS) - 1)]
    columns["city"] = np.char.add("city-district-", generator.integers(0, 1000, rows).astype(str))
    columns["customer"] = np.char.add("customer-account-number-", generator.integers(0, 10**6, rows).astype(str))
    columns["is_open"] = generator.random(rows) < 0.3
    columns["is_paid"] = generator.random(rows) < 0.9
    day = np.datetime64("2015-01-01", "s")
    columns["created"] = day + generator.integers(0, 3 * 10**8, rows).astype("timedelta64[s]")
    columns["due"] = day + generator.integers(0, 3 * 10**8, rows).astype("timedelta64[s]")
    return _with_missing(generator, columns)


def _many(generator: np.random.Generator, rows: int, first: int) -> pa.Table:
    columns: dict[str, object] = {"id": np.arange(first, first + rows)}
    for place in range(5):
        columns[f"x{place}"] = generator.normal(size=rows)
    columns["count"] = generator.integers(0, 10**6, rows)
    columns["job"] = np.asarray(JOBS)[np.minimum(generator.geometric(0.2, rows) - 1, len(JOBS) - 1)]
    columns["city"] = np.char.add("city-", generator.integers(0, 1000, rows).astype(str))
    day = np.datetime64("2015-01-01", "s")
    columns["created"] = day + generator.integers(0, 3 * 10**8, rows).astype("timedelta64[s]")
    return _with_missing(generator, columns)


def _with_missing(generator: np.random.Generator, columns: dict[str, object]) -> pa.Table:
    arrays = {}
    for name, values in columns.items():
        mask = None if name == "id" else generator.random(len(values)) < MISSING  # type: ignore[arg-type]
        arrays[name] = pa.array(values, mask=mask)
    return pa.table(arrays)
