"""The grid of the Data Wrangler in a browser on 10M rows: how long a cell in sight waits for its rows.

Needs the extension as it is built, Node.js with the packages of ui-tests, and Chromium (`CHROMIUM` names its program).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Result
from benchmarks.lab import measure_in_browser, running_lab
from benchmarks.wrangler_tables import MANY_ROWS, make_tables

LIBRARIES = ("jupyter-atelier", "jupyterlab", "duckdb")
REPEAT = 3
BAR_MS = 250
WAYS = {"wheel": "scrolling by wheel", "drag": "pulling the scroll bar", "jump": "jumping to rows"}


def run() -> Iterator[Result]:
    """Open a recipe on the table in a fresh browser, several times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files").mkdir()
        make_tables(folder / "files")
        recipe = {"recipe_version": 1, "name": "many", "sources": [{"id": "s1", "uri": "many.parquet"}], "nodes": []}
        (folder / "files" / "many.recipe.json").write_text(json.dumps(recipe))
        with running_lab(folder) as url:
            asked = ("recipe-grid.js", url, "many.recipe.json", str(MANY_ROWS))
            samples = [measure_in_browser(*asked) for _ in range(REPEAT)]
    for way, what in WAYS.items():
        blank = [sample[way]["longest"] for sample in samples]
        frame = max(sample[way]["frame"] for sample in samples)
        yield Result(
            f"grid of {MANY_ROWS:,} rows, {what}: the longest that a cell in sight was blank",
            f"at most {BAR_MS} ms",
            "ms",
            blank,
            max(blank) <= BAR_MS,
            note=f"software rendering, no GPU: the slowest frame took {frame:.0f} ms",
        )
