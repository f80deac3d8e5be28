"""Every case of the learning operators: learned, kept as JSON, applied to its rows and to new ones."""

from __future__ import annotations

import math

import pandas as pd
import pyarrow as pa
import pytest

from kernel_tools.wrangler.operators import make_operator
from tests.wrangler.cases import Case
from tests.wrangler.cases.learned import CASES
from tests.wrangler.cases.tables import TABLES
from tests.wrangler.operators.fitting import fit


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_runs_on_its_rows_and_on_new_ones(case: Case) -> None:
    rows = TABLES[case.table]
    fitted = fit(case.op, case.params, rows)
    new = fitted.apply(TABLES[case.new]) if case.new else fitted.apply(rows.slice(0, 0))
    if case.op != "balance":
        assert new.schema == fitted.training.schema
    for table in (fitted.training, new):
        for name, field in zip(table.column_names, table.schema, strict=True):
            if str(field.type) == "double":
                assert all(value is None or math.isfinite(value) for value in table[name].to_pylist()), name


NAMES = ["by", "self", "table", "value", "n", "place", "slot", "a b", 'quo"te', "metrics"]


@pytest.mark.parametrize(
    ("op", "params"),
    [
        ("impute", {"strategy": "mean"}),
        ("impute", {"strategy": "mode"}),
        ("standardize", {}),
        ("robust_scale", {}),
        ("outliers", {}),
        ("quantile_bins", {}),
        ("pca", {"components": 2}),
        ("one_hot", {"max_categories": 2}),
        ("ordinal", {}),
        ("frequency", {}),
        ("fill_direction", {}),
        ("interpolate", {}),
        ("target_encode", {"target": "y"}),
    ],
    ids=str,
)
def test_a_column_may_have_any_name(op: str, params: dict[str, object]) -> None:
    numbers = [1.0, 2.0, None, 4.0, 2.0]
    rows = pa.table({**{name: numbers for name in NAMES}, "y": [0, 1, 0, 1, 1]})
    fitted = fit(op, {"columns": NAMES, **params}, rows)
    assert fitted.apply(rows).num_rows == 5


@pytest.mark.parametrize(
    "case", {case.op: case for case in CASES if case.op != "pca"}.values(), ids=lambda case: case.id
)
def test_no_row_at_all_teaches_nothing_and_breaks_nothing(case: Case) -> None:
    nothing = TABLES[case.table].slice(0, 0)
    assert fit(case.op, case.params, nothing).apply(nothing).num_rows == 0


EAGER = [case for case in CASES if make_operator(case.op, case.params).is_eager]


@pytest.mark.parametrize("case", EAGER, ids=lambda case: case.id)
def test_the_code_of_a_step_on_frames_does_what_it_does(case: Case) -> None:
    fitted = fit(case.op, case.params, TABLES[case.table])
    frame = TABLES[case.table].to_pandas(types_mapper=pd.ArrowDtype)
    names = {"df": frame}
    exec("\n".join(make_operator(case.op, case.params).code("df", state=fitted.state)), names)
    expected = fitted.training.to_pandas(types_mapper=pd.ArrowDtype)
    pd.testing.assert_frame_equal(names["df"], expected, check_dtype=False)
