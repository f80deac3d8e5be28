"""Steps as ONNX graphs give what the engine gives; what has no form there is refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

onnxruntime = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")

from kernel_tools.core.errors import InvalidArgumentError  # noqa: E402
from kernel_tools.wrangler import read  # noqa: E402
from kernel_tools.wrangler.document import Node, RecipeDocument, Source  # noqa: E402
from kernel_tools.wrangler.engine import Engine  # noqa: E402
from kernel_tools.wrangler.execution import Execution  # noqa: E402
from kernel_tools.wrangler.lowering.errors import UnsupportedError  # noqa: E402
from kernel_tools.wrangler.lowering.onnx import feeds_of, frame_of, lower, to_onnx, with_estimator  # noqa: E402
from kernel_tools.wrangler.lowering.onnx_spelling import Spelling, ends_of  # noqa: E402
from kernel_tools.wrangler.recipe import Recipe  # noqa: E402
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
        options: dict[str, Any] = {"is_training": False, "may_learn": False, "is_trusted": True}
        applied = Execution(fitted.fitted(), engine, tables, **options)
        rows = TABLES[table].to_pandas(types_mapper=pd.ArrowDtype)
        try:
            found = ran(applied, rows)
        except UnsupportedError as error:
            assert case.op in REFUSED | PARTLY
            assert "The step 'n' (" in str(error) or "The column '" in str(error)
            return
        expected = engine.arrow(applied.table("n")).to_pandas(types_mapper=pd.ArrowDtype)
        if len(found) != len(expected) or case.op in ORDER:
            # Steps that choose or order rows are left out of a graph: all rows come out.
            assert set(map(repr, expected.values.tolist())) <= set(map(repr, found.values.tolist()))
            continue
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-12)


PEOPLE = TABLES["people"].to_pandas()


def session_of(model: Any) -> Any:
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def recipe() -> Recipe:
    steps = read(PEOPLE).filter("id < 8").impute(["age", "income"]).standardize(["age", "income"]).one_hot(["job"])
    return steps.drop(["born", "seen", "is_member", "id"]).fit()


def test_a_matrix_holds_what_the_columns_hold_as_float32() -> None:
    session = session_of(to_onnx(recipe(), matrix=True))
    (found,) = session.run(None, feeds_of(PEOPLE, session))
    assert found.dtype == np.float32
    expected = recipe().transform(PEOPLE).to_numpy(dtype=float)
    np.testing.assert_allclose(found[:7], expected, rtol=1e-5, atol=1e-6)


def test_only_columns_that_are_needed_are_inputs() -> None:
    session = session_of(to_onnx(recipe(), columns=["age"]))
    assert [item.name for item in session.get_inputs()] == ["age"]


def test_many_categories_are_one_comparison() -> None:
    nodes = [node.op_type for node in to_onnx(recipe(), matrix=True).graph.node]
    assert nodes.count("Equal") == 1
    assert len(nodes) <= 10


def test_a_row_is_fed_as_a_dictionary() -> None:
    model = to_onnx(recipe(), matrix=True)
    session = session_of(model)
    row = {"age": None, "income": 5.0, "job": None}
    (found,) = session.run(None, feeds_of(row, session))
    (expected,) = session.run(None, feeds_of(pd.DataFrame([row]).astype({"age": float}), model))
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(InvalidArgumentError, match="'job'"):
        feeds_of({"age": 1.0, "income": 2.0}, session)


def test_rows_of_polars_and_arrow_are_fed_as_those_of_pandas() -> None:
    session = session_of(to_onnx(recipe(), matrix=True))
    (expected,) = session.run(None, feeds_of(PEOPLE, session))
    for rows in (TABLES["people"], pl.from_arrow(TABLES["people"])):
        np.testing.assert_array_equal(session.run(None, feeds_of(rows, session))[0], expected)


def test_text_has_no_place_in_a_matrix() -> None:
    with pytest.raises(UnsupportedError, match="job"):
        to_onnx(read(PEOPLE).impute(["age"]).select(["age", "job"]).fit(), matrix=True)


@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), RandomForestClassifier(n_estimators=5, random_state=0)], ids=str
)
def test_one_file_goes_from_raw_columns_to_predictions(estimator: Any) -> None:
    steps = recipe()
    features = steps.fit_transform().to_numpy(dtype=np.float32)
    labels = np.array([0, 1, 0, 1, 0, 1, 1])
    estimator.fit(features, labels)
    session = session_of(with_estimator(to_onnx(steps, matrix=True), estimator))
    assert {item.name for item in session.get_inputs()} == {"age", "income", "job"}
    found, probabilities = session.run(None, feeds_of(PEOPLE.head(7), session))
    np.testing.assert_array_equal(found, estimator.predict(features))
    np.testing.assert_allclose(probabilities, estimator.predict_proba(features), atol=1e-5)


def test_an_estimator_of_other_columns_is_refused() -> None:
    estimator = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(InvalidArgumentError, match="columns"):
        with_estimator(to_onnx(recipe(), matrix=True), estimator)


@pytest.mark.parametrize("encode", ["one_hot", "ordinal", "frequency", "replace_rare"])
def test_cleaned_categories_are_encoded(encode: str) -> None:
    words = ["Ja", " ja", "JA\t", "nein", "NEIN ", None, "", "  ", "Ä", "ä", "a.b", "A.B", "axb", "é"]
    frame = pd.DataFrame({"answer": words, "id": range(len(words))})
    steps = read(frame).format_string(["answer"], method="strip").format_string(["answer"], method="lower")
    steps = getattr(steps.fill(["answer"], "none").disguised_to_null(["answer"], [""]), encode)(["answer"])
    if encode == "replace_rare":
        steps = steps.edit(steps.head, min_count=2, replacement="other").ordinal(["answer"])
    steps.fit()
    session = session_of(to_onnx(steps, matrix=True))
    (found,) = session.run(None, feeds_of(frame, session))
    np.testing.assert_array_equal(found, steps.transform(frame).to_numpy(dtype=np.float32))


@given(st.text(st.sampled_from(" \taÄäßZz.*[]^$\\|-\n"), max_size=6), st.text(st.sampled_from("aÄzZß. *^"), max_size=3))
def test_a_pattern_of_spellings_fits_what_the_change_makes_equal(text: str, wanted: str) -> None:
    spelling = Spelling().cased("lower").stripped(" \t", " \t")
    pattern = spelling.pattern([wanted])
    fits = pattern is not None and re.fullmatch(re.sub(r"\\x\{(\w+)\}", _code_point, pattern), text) is not None
    assert fits == (text.lower().strip(" \t") == wanted)


def _code_point(found: re.Match[str]) -> str:
    return f"\\U{int(found[1], 16):08x}"


def test_the_ends_that_a_pattern_strips_are_read() -> None:
    assert ends_of(r"^\s+|\s+$") == (" \t\n\r\f", " \t\n\r\f")
    assert ends_of(r"[Hd1\]]+$") == ("", "Hd1]")
    assert ends_of(r"[aeiou]") is None
    assert ends_of(r"^a+|b+$") is None
