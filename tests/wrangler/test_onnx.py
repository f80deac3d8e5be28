"""Steps as ONNX graphs give what the engine gives; what has no form there is refused by name."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from kernel_tools.wrangler.document import Node, RecipeDocument, Source  # noqa: E402
from kernel_tools.wrangler.engine import Engine  # noqa: E402
from kernel_tools.wrangler.execution import Execution  # noqa: E402
from kernel_tools.wrangler.lowering.errors import UnsupportedError  # noqa: E402
from kernel_tools.wrangler.lowering.onnx import feeds_of, frame_of, lower  # noqa: E402
from tests.wrangler.cases import Case, all_cases  # noqa: E402
from tests.wrangler.cases.tables import TABLES  # noqa: E402

REFUSED = {
    # They look at other rows, or make other rows.
    *("aggregate", "concatenate", "datetime_range", "explode", "extract_features", "fill_direction", "interpolate"),
    *("join", "lag", "pivot", "resample", "rolling", "split", "standardize_length", "unpivot", "window"),
    # A library or somebody's code computes them.
    *("custom_pandas", "custom_polars", "custom_python", "custom_sql", "hashing_encode", "similarity_encode"),
    "vectorize_text",
    # They make lists, look into them or into JSON; count characters.
    *("assemble_vector", "character_statistics", "flatten_json", "flatten_vector"),
}
"""Operators that have no form in ONNX."""
PARTLY = {"cast", "edit_string", "fill_time_series", "format_string", "formula", "impute", "parse_datetime"} | {
    "validate_string",
    "validate_timestamps",
}
"""Operators that have one with some of their parameters."""
ORDER = {"shuffle", "sort"}


def ran(execution: Execution, rows: pd.DataFrame) -> pd.DataFrame:
    model = lower(execution, "n")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return frame_of(session.run(None, feeds_of(rows, session)), model)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as made:
        yield made


def cases() -> list[Case]:
    """Return the cases of steps that have a form, and one of each that has none."""
    found = all_cases()
    refused = {case.op: case for case in found if case.op in REFUSED}
    return [case for case in found if case.op not in REFUSED] + list(refused.values())


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_a_graph_gives_what_the_engine_gives(case: Case, engine: Engine) -> None:
    names = [case.table, *case.others]
    sources = [Source(id=f"s{i}", kind="frame") for i in range(len(names))]
    node = Node(id="n", op=case.op, inputs=[source.id for source in sources], params=case.params)
    document = RecipeDocument(sources=sources, nodes=[node])
    tables = {f"s{i}": engine.register(TABLES[name]) for i, name in enumerate(names)}
    fitted = Execution(document, engine, tables, is_trusted=True)
    fitted.table("n")
    for table in [case.table, *([case.new] if case.new else [])]:
        tables["s0"] = engine.register(TABLES[table])
        options = {"is_training": False, "may_learn": False, "is_trusted": True}
        applied = Execution(fitted.fitted(), engine, tables, **options)
        rows = TABLES[table].to_pandas(types_mapper=pd.ArrowDtype)
        try:
            found = ran(applied, rows)
        except UnsupportedError as error:
            assert case.op in REFUSED | PARTLY
            assert "The step 'n' (" in str(error)
            return
        expected = engine.arrow(applied.table("n")).to_pandas(types_mapper=pd.ArrowDtype)
        if len(found) != len(expected) or case.op in ORDER:
            # Steps that choose or order rows are left out of a graph: all rows come out.
            assert set(map(repr, expected.values.tolist())) <= set(map(repr, found.values.tolist()))
            continue
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-12)
