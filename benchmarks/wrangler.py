"""The Data Wrangler: opening, profiling, recipes against pandas and hand-written SQL, sorted tables, ONNX."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.harness import Result, wall_seconds
from benchmarks.wrangler_rows import one_row_samples
from benchmarks.wrangler_tables import make_tables
from kernel_tools.wrangler.session.client import SessionProcess
from scripts.peer_environment import ROOT, clean_environment
from scripts.ydata_environment import VERSION as YDATA
from scripts.ydata_environment import ydata_python

LIBRARIES = ("jupyter-atelier", "duckdb", "ibis-framework", "pandas", "pyarrow", "scikit-learn", "onnxruntime")
REPEAT = 5
PANDAS = "pandas"
LIMIT_MIB = 1024
WINDOWS = 200
PARITY = ("pandas_code", "polars_code", "onnx", "estimators", "cases")


def run() -> Iterator[Result]:
    """Make the tables, and measure each thing in processes of its own, ours and the peer in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_tables(folder)
        yield from _opening(folder)
        yield from _profile(folder)
        yield from _recipe(folder)
        yield _many_rows(folder)
        for table, rows in (("mixed", "1M"), ("many", "10M")):
            yield _windows(folder / f"{table}.parquet", rows)
    yield _one_row()
    yield from _parity()


def _task(name: str, folder: Path, calls: int = 1, python: Path | None = None) -> dict[str, float]:
    environment = {**(os.environ if python is None else clean_environment()), "PYTHONPATH": str(ROOT)}
    command = [str(python or sys.executable), "-m", "benchmarks.wrangler_work", name, str(folder), str(calls)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _in_turn(folder: Path, *names: str, calls: int = 1) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(REPEAT):
        for name in names:
            found[name].append(_task(name, folder, calls))
    return found


def _of(samples: list[dict[str, float]], what: str) -> list[float]:
    return [float(f"{sample[what]:.4g}") for sample in samples]


def _times(
    what: str, bar: float, ours: list[float], peer: list[float], unit: str, peer_name: str, note: str = ""
) -> Result:
    """Return a result whose bar is a share of the peer."""
    share = statistics.median(ours) / statistics.median(peer)
    note = f"{share:.3g} of the peer" + (f"; {note}" if note else "")
    return Result(what, f"{bar:.3g} of the peer", unit, ours, share <= bar, peer_name, peer, note)


def _opening(folder: Path) -> Iterator[Result]:
    size = (folder / "mixed.csv").stat().st_size / 1e6
    found = _in_turn(folder, "open_ours", "open_pandas")
    ours, peer = found["open_ours"], found["open_pandas"]
    what = f"CSV of {size:.0f} MB, first 100 rows and types: CPU"
    yield _times(what, 1 / 6, _of(ours, "cpu"), _of(peer, "cpu"), "s", "pandas.read_csv")
    yield Result(
        what.replace("CPU", "wall time in Python"), "under 1.5 s", "s", _of(ours, "wall"), max(_of(ours, "wall")) < 1.5
    )
    cold = [float(f"{wall_seconds(lambda: _look(folder / 'mixed.csv')):.4g}") for _ in range(REPEAT)]
    note = "a process of its own starts, imports, reads"
    yield Result("the same in the studio's session, from nothing", "under 1.5 s", "s", cold, max(cold) < 1.5, note=note)


def _look(path: Path) -> None:
    """What the studio does when a file is opened, up to the rows of the first window."""
    session = SessionProcess()
    try:
        session.ask("update", document=_document(path), base=str(path.parent), is_trusted=False)
        view = session.ask("view", node="s1", is_whole=False)
        assert session.ask("window", view=view["view"], start=0, count=100)
    finally:
        session.close()


def _document(path: Path) -> dict[str, object]:
    return {"name": "measured", "sources": [{"id": "s1", "kind": "file", "uri": str(path)}], "nodes": []}


def _profile(folder: Path) -> Iterator[Result]:
    found = _in_turn(folder, "profile_ours", "profile_pandas")
    ours, peer = found["profile_ours"], found["profile_pandas"]
    what = "full exact profile of 1M x 21"
    yield _times(f"{what}: CPU", 0.65, _of(ours, "cpu"), _of(peer, "cpu"), "s", "plain pandas loop")
    above = [statistics.median(one["peak"] - one["imported"] for one in side) for side in (ours, peer)]
    note = f"above the imports {above[0]:.0f} and {above[1]:.0f} MiB: {above[0] / above[1]:.2f}"
    yield _times(f"{what}: peak memory", 0.3, _of(ours, "peak"), _of(peer, "peak"), "MiB", "plain pandas loop", note)
    python = ydata_python()
    ydata = [_task("profile_ydata", folder, python=python) for _ in range(2)]
    yield _times(f"{what}: CPU", 0.1, _of(ours, "cpu"), _of(ydata, "cpu"), "s", f"ydata-profiling {YDATA}, minimal")


def _recipe(folder: Path) -> Iterator[Result]:
    found = _in_turn(folder, "recipe_ours", "recipe_pandas", "recipe_sql", calls=2)
    ours, peer, sql = found["recipe_ours"], found["recipe_pandas"], found["recipe_sql"]
    what = "six-step recipe on 1M x 21, fit and transform"
    share = statistics.median(_of(sql, "cpu")) / statistics.median(_of(peer, "cpu"))
    note = f"the hand-written SQL below takes {share:.2f} of pandas itself"
    yield _times(f"{what}: CPU", 0.35, _of(ours, "cpu"), _of(peer, "cpu"), "s", PANDAS, note)
    least = statistics.median(_of(sql, "peak")) / statistics.median(_of(peer, "peak"))
    note = f"the hand-written SQL takes {least:.2f}; {ours[0]['imported']:.0f} MiB of ours are there after the imports"
    yield _times(f"{what}: peak memory", 0.25, _of(ours, "peak"), _of(peer, "peak"), "MiB", PANDAS, note)
    yield _times(
        f"{what}: CPU of the second call", 1.3, _of(ours, "cpu"), _of(sql, "cpu"), "s", "hand-written DuckDB SQL"
    )


def _many_rows(folder: Path) -> Result:
    samples = [_task("recipe_many", folder) for _ in range(3)]
    peaks, walls = _of(samples, "peak"), _of(samples, "wall")
    note = f"the engine's own limit is 500 MB; {statistics.median(walls):.3g} s, both results written to files"
    what = "the same recipe and its rows before the aggregation on 10M x 10: peak memory of the process"
    return Result(what, "completes under 1 GB", "MiB", peaks, max(peaks) < LIMIT_MIB, note=note)


def _windows(path: Path, rows: str) -> Result:
    """Windows of 100 rows and 10 columns around row 500,000 and elsewhere, asked of the studio's process."""
    session = SessionProcess()
    try:
        session.ask("update", document=_document(path), base=str(path.parent), is_trusted=False)
        view = session.ask("view", node="s1", is_whole=True)
        started = time.perf_counter()
        ordered = session.ask("arrange", view=view["view"], sort=[{"column": "x0"}], filters=[])
        sorting = time.perf_counter() - started
        columns = [one["name"] for one in view["columns"]][:10]
        generator, took = np.random.default_rng(0), []
        for place in range(WINDOWS):
            start = 500_000 + 100 * place if place % 2 else int(generator.integers(0, ordered["rows"] - 100))
            asked = {"view": ordered["view"], "start": start, "count": 100, "columns": columns}
            took.append(1000 * wall_seconds(lambda asked=asked: session.ask("window", **asked)))  # type: ignore[misc]
    finally:
        session.close()
    slow = float(np.quantile(took, 0.95))
    note = f"p95 {slow:.3g} ms; half of them at row 500,000, half anywhere; sorting took {sorting:.2g} s"
    what = f"window of 100 rows of a sorted table of {rows} rows, in the studio's process"
    return Result(what, "p95 under 100 ms", "ms", [float(f"{one:.4g}") for one in took], slow < 100, note=note)


def _one_row() -> Result:
    ours, peer, worst = one_row_samples(REPEAT)
    what = "one row through a recipe of 10 steps in ONNX"
    note = f"results differ by at most {worst:.1g} (float32)"
    return _times(what, 1 / 20, ours, peer, "us", "scikit-learn pipeline, one ColumnTransformer", note)


def _parity() -> Iterator[Result]:
    """The cases of every operator, compared in each lowering by its tests: how many there are, and how many differ."""
    for name in PARITY:
        path = ROOT / "tests" / "wrangler" / f"test_{name}.py"
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            command = [sys.executable, "-m", "pytest", "-q", str(path), f"--junitxml={report}"]
            subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
            suite = next(ET.parse(report).iter("testsuite"))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        yield Result(
            f"parity of all operators with DuckDB, tests of {name.replace('_', ' ')}: differences",
            "none: integers, categories, dates exact; floats 1e-9, ONNX float32 1e-5",
            "",
            [failed],
            failed == 0 and int(suite.get("tests", 0)) > 0,
            note=f"{suite.get('tests')} comparisons",
        )
