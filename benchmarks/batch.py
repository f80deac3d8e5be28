"""Batch transform against a plain pandas loop with the same model: seconds and memory of processes of their own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Result, measure
from kernel_tools import registry
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.batch.plan import BatchPlan, find_inputs, write_plan
from kernel_tools.hosting.choosing import choose_variant

LIBRARIES = ("jupyter-atelier", "xgboost", "onnxruntime", "pandas", "pyarrow")
ROWS = int(os.environ.get("ATELIER_BATCH_ROWS", "5000000"))
COLUMNS, MAX_MEMORY_MIB = 30, 500

_OURS = """
import resource, sys, time
from pathlib import Path
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.batch.plan import read_plan
from kernel_tools.hosting.batch.transform import run_transform
began = time.perf_counter()
run_transform(Workspace(Path(sys.argv[1])), read_plan(Path(sys.argv[2])))
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
_LOOP = """
import resource, sys, time
import pandas as pd, xgboost
model = xgboost.XGBClassifier()
model.load_model(sys.argv[1])
began, is_first = time.perf_counter(), True
for chunk in pd.read_csv(sys.argv[2], chunksize=50_000):
    probabilities = model.predict_proba(chunk)
    chunk["prediction"] = probabilities.argmax(axis=1)
    chunk["probability_0"], chunk["probability_1"] = probabilities[:, 0], probabilities[:, 1]
    chunk.to_csv(sys.argv[3], mode="w" if is_first else "a", header=is_first, index=False)
    is_first = False
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def run() -> Iterator[Result]:
    """Predict a CSV file of five million rows by both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = Workspace(folder / "workspace")
        _prepare(workspace, folder)
        memory: list[float] = []
        number = iter(range(100))

        def ours() -> float:
            output = folder / f"out-{next(number)}"
            variant = choose_variant(workspace, "trees")
            plan = BatchPlan(variant=variant, inputs=find_inputs(folder / "rows.csv"), output=str(output))
            write_plan(plan, folder / "plan.json")
            seconds, peak = _timed(_OURS, str(workspace.root), str(folder / "plan.json"))
            (output / "rows.csv.out").unlink()
            memory.append(round(peak))
            return seconds

        def loop() -> float:
            return _timed(_LOOP, str(folder / "model.ubj"), str(folder / "rows.csv"), str(folder / "loop.csv"))[0]

        samples, peers = measure(ours, loop, repeat=1)
        ratio = statistics.median(peers) / statistics.median(samples)
        title = f"batch transform of {ROWS:,} rows of {COLUMNS} columns of CSV"
        yield Result(title, "2x faster", "s", samples, ratio >= 2, "plain pandas loop", peers)
        met = max(memory) < MAX_MEMORY_MIB
        yield Result(f"{title}: peak memory", f"under {MAX_MEMORY_MIB} MB", "MiB", memory, met)


def _timed(code: str, *arguments: str) -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    seconds, memory = map(float, done.stdout.split()[-2:])
    return seconds, memory


def _prepare(workspace: Workspace, folder: Path) -> None:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.csv as writer
    import xgboost

    random = np.random.default_rng(0)
    names = [f"f{number}" for number in range(COLUMNS)]
    table = pd.DataFrame(random.normal(size=(4000, COLUMNS)).round(4), columns=names)
    target = (table["f0"] * table["f1"] + table["f2"] > 0).astype(int)
    model = xgboost.XGBClassifier(n_estimators=300, max_depth=6).fit(table, target)
    model.save_model(folder / "model.ubj")
    registry.register("trees", model, sample_input=table.head(), workspace=workspace).approve()
    schema = pa.schema([(name, pa.float64()) for name in names])
    with writer.CSVWriter(folder / "rows.csv", schema) as file:
        for start in range(0, ROWS, 100_000):
            rows = min(100_000, ROWS - start)
            file.write_table(pa.table(dict(zip(names, random.normal(size=(COLUMNS, rows)).round(4), strict=True))))
