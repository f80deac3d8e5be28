"""Steps that somebody writes: what a SELECT may read, and how code that fails says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel_tools.wrangler.document import Node, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution
from kernel_tools.wrangler.operators.base import StepError
from tests.wrangler.cases.tables import TABLES
from tests.wrangler.operators.running import column

NUMBERS = {"a": [1, 2, None]}


def test_a_select_reads_the_rows_so_far() -> None:
    query = "WITH twice AS (SELECT a * 2 AS b FROM df) SELECT b FROM twice ORDER BY b"
    assert column("custom_sql", {"query": query}, "b", NUMBERS) == [2, 4, None]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT b FROM '{file}'",
        "SELECT b FROM read_csv('{file}')",
        "SELECT f.b FROM df, LATERAL read_csv('{file}') AS f",
        'WITH "{file}" AS (SELECT b FROM "{file}") SELECT b FROM "{file}"',
        'SELECT f.b FROM (WITH "{file}" AS (SELECT 1) SELECT * FROM df), "{file}" AS f',
        "SELECT main.read_text('{file}') AS b FROM df",
    ],
)
def test_a_select_reads_no_file_by_any_way(query: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("b\n1\n")
    with pytest.raises(StepError):
        column("custom_sql", {"query": query.format(file=file)}, "b", NUMBERS)


@pytest.mark.parametrize("op", ["custom_pandas", "custom_polars"])
@pytest.mark.parametrize(
    ("source", "words"), [("x = 1\ny = 1 / 0", "ZeroDivisionError"), ("import sys\nsys.exit(3)", "SystemExit: 3")]
)
def test_code_that_fails_names_its_line_and_ends_nothing_else(op: str, source: str, words: str) -> None:
    with pytest.raises(StepError, match=f"Line 2 of the code failed: {words}"):
        _run(op, {"source": source})


def _run(op: str, params: dict[str, str]) -> None:
    node = Node(id="n", op=op, inputs=["s"], params=params)
    document = RecipeDocument(sources=[Source(id="s", kind="frame")], nodes=[node])
    with Engine() as engine:
        Execution(document, engine, {"s": engine.register(TABLES["people"])}, is_trusted=True).table("n")
