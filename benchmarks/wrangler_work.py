"""What `benchmarks.wrangler` measures, each in a process of its own: `python -m benchmarks.wrangler_work TASK FOLDER`.

Libraries are imported before the clock starts, on both sides; the peak of the memory is that of the whole process.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEN_JOBS = 10
QUANTILES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)
NUMBERS = ["x0", "x1", "price0", "count1"]


def open_ours(folder: Path) -> None:
    """The first 100 rows of the CSV and the types of its columns."""
    import kernel_tools as kt

    rows = kt.wrangler.read(folder / "mixed.csv").preview(100)
    assert rows.shape == (100, 21), rows.shape


def open_pandas(folder: Path) -> None:
    """The same by reading it all."""
    import pandas as pd

    assert pd.read_csv(folder / "mixed.csv").head(100).shape == (100, 21)


def profile_ours(folder: Path) -> None:
    """Profile all columns, exactly."""
    from kernel_tools.wrangler.document import Source
    from kernel_tools.wrangler.engine import Engine
    from kernel_tools.wrangler.profiling import profile
    from kernel_tools.wrangler.sources import load

    with Engine() as engine:
        loaded = load(Source(id="s1", uri=str(folder / "mixed.parquet")), engine, name="mixed")
        assert len(profile(engine, loaded.table)) == 21


def profile_pandas(folder: Path) -> None:
    """The same numbers by a plain loop over the columns."""
    import numpy as np
    import pandas as pd

    frame, found = pd.read_parquet(folder / "mixed.parquet"), {}
    for name in frame.columns:
        values = frame[name]
        counts = values.value_counts()
        facts: dict[str, Any] = {"missing": values.isna().sum(), "distinct": len(counts), "top": counts.head(10)}
        facts["unique"] = (counts == 1).sum()
        if pd.api.types.is_bool_dtype(values) or set(map(type, counts.index[:3])) == {bool}:
            pass
        elif pd.api.types.is_numeric_dtype(values):
            facts |= values.describe().to_dict()
            facts["quantiles"] = values.quantile(list(QUANTILES))
            facts["skew"], facts["kurtosis"] = values.skew(), values.kurt()
            facts["zeros"], facts["negatives"] = (values == 0).sum(), (values < 0).sum()
            facts["histogram"] = np.histogram(values.dropna(), 20)
        elif pd.api.types.is_datetime64_any_dtype(values):
            facts["quantiles"] = values.quantile(list(QUANTILES))
            facts["histogram"] = np.histogram(values.dropna().astype("int64"), 20)
        else:
            lengths = values.str.len()
            facts["lengths"] = (lengths.min(), lengths.mean(), lengths.max())
            facts["empty"] = (values.str.strip() == "").sum()
        found[name] = facts
    assert len(found) == 21


def profile_ydata(folder: Path) -> None:
    """ydata-profiling's minimal report, as a description without its page."""
    import pandas as pd
    from ydata_profiling import ProfileReport

    report = ProfileReport(pd.read_parquet(folder / "mixed.parquet"), minimal=True, progress_bar=False)
    assert len(report.get_description().variables) == 21


def recipe(folder: Path, table: str = "mixed.parquet", numbers: list[str] | None = None) -> Any:
    """Return the six steps: impute, one-hot of the top ten, standardize, parts of dates, filter, aggregate."""
    import kernel_tools as kt

    numbers = numbers or NUMBERS
    return (
        kt.wrangler.read(folder / table)
        .impute(numbers, strategy="median")
        .one_hot(["job"], max_categories=TEN_JOBS)
        .standardize(numbers)
        .date_parts(["created"], parts=["year", "month"])
        .filter(condition=f'"{numbers[0]}" > -2')
        .aggregate(
            group_by=["city", "created_year"],
            aggregations=[{"function": "rows"}]
            + [{"function": "mean", "column": name} for name in [*numbers, "job_clerk", "job_engineer"]],
        )
    )


def recipe_ours(folder: Path) -> None:
    """Let the six steps learn, and compute."""
    assert len(recipe(folder).fit_transform()) > 10_000


def recipe_many(folder: Path) -> None:
    """The same on 10M rows of 10 columns, with 500 MB for the engine, all rows of a wide result written to a file."""
    steps = recipe(folder, "many.parquet", ["x0", "x1", "count"])
    steps.run(folder / "aggregated.parquet", memory_limit="500MB")
    before = steps.at(steps.steps[-2].id)
    before.run(folder / "features.parquet", memory_limit="500MB")


def recipe_pandas(folder: Path) -> None:
    """The same by hand with pandas."""
    import pandas as pd

    frame = pd.read_parquet(folder / "mixed.parquet")
    frame[NUMBERS] = frame[NUMBERS].fillna(frame[NUMBERS].median())
    for job in frame["job"].value_counts().index[:TEN_JOBS]:
        frame[f"job_{job}"] = (frame["job"] == job).astype("int8")
    frame = frame.drop(columns="job")
    frame[NUMBERS] = (frame[NUMBERS] - frame[NUMBERS].mean()) / frame[NUMBERS].std(ddof=0)
    frame["created_year"], frame["created_month"] = frame["created"].dt.year, frame["created"].dt.month
    frame = frame[frame[NUMBERS[0]] > -2]
    groups = frame.groupby(["city", "created_year"], dropna=False)
    result = groups[[*NUMBERS, "job_clerk", "job_engineer"]].mean()
    result["count"] = groups.size()
    assert len(result) > 10_000


def recipe_sql(folder: Path) -> None:
    """The same by hand with DuckDB's SQL."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"CREATE VIEW t AS FROM '{folder / 'mixed.parquet'}'")
    medians = connection.execute(f"SELECT {', '.join(f'median({name})' for name in NUMBERS)} FROM t").fetchall()[0]
    top = "SELECT job, count(*) n FROM t WHERE job IS NOT NULL GROUP BY job ORDER BY n DESC, job LIMIT 10"
    jobs = [row[0] for row in connection.execute(top).fetchall()]
    filled = {name: f"coalesce({name}, {median})" for name, median in zip(NUMBERS, medians, strict=True)}
    moments = ", ".join(f"avg({one}), stddev_pop({one})" for one in filled.values())
    found = connection.execute(f"SELECT {moments} FROM t").fetchall()[0]
    scaled = {
        name: f"({one} - {found[2 * place]}) / {found[2 * place + 1]}"
        for place, (name, one) in enumerate(filled.items())
    }
    columns = [f"{one} AS {name}" for name, one in scaled.items()]
    columns += [f"CAST(job = '{job}' AND job IS NOT NULL AS TINYINT) AS job_{job}" for job in jobs]
    columns += ["city", "year(created) AS created_year", "month(created) AS created_month"]
    means = ", ".join(f"avg({name}) AS {name}_mean" for name in [*NUMBERS, "job_clerk", "job_engineer"])
    result = connection.sql(
        f"SELECT city, created_year, count(*) AS count, {means} FROM (SELECT {', '.join(columns)} FROM t) "
        f"WHERE {NUMBERS[0]} > -2 GROUP BY city, created_year"
    ).to_arrow_table()
    assert len(result.to_pandas()) > 10_000


OURS = ("kernel_tools.wrangler.recipe", "kernel_tools.wrangler.running", "ibis.backends.duckdb", "pandas", "pyarrow")

TASKS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "open_ours": (open_ours, OURS),
    "open_pandas": (open_pandas, ("pandas", "pyarrow")),
    "profile_ours": (profile_ours, ("kernel_tools.wrangler.profiling", "ibis.backends.duckdb", "pyarrow")),
    "profile_pandas": (profile_pandas, ("pandas", "pyarrow.parquet")),
    "profile_ydata": (profile_ydata, ("pandas", "pyarrow.parquet", "ydata_profiling")),
    "recipe_ours": (recipe_ours, OURS),
    "recipe_many": (recipe_many, OURS),
    "recipe_pandas": (recipe_pandas, ("pandas", "pyarrow.parquet")),
    "recipe_sql": (recipe_sql, ("duckdb", "pandas", "pyarrow")),
}
"""What is done, and what is imported before."""


def main(name: str, folder: Path, calls: int = 1) -> dict[str, float]:
    """Do one thing, `calls` times; return what the last call took, and the highest the memory ever was."""
    work, modules = TASKS[name]
    for module in modules:
        importlib.import_module(module)
    imported = peak_mib()
    for _ in range(calls):
        cpu, wall = time.process_time(), time.perf_counter()
        work(folder)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "peak": peak_mib(), "imported": imported}


def peak_mib() -> float:
    """Return the highest resident memory of this process so far, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("The kernel does not tell VmHWM.")


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))))
