"""Every case of the learning operators: learned, kept as JSON, applied to its rows and to new ones."""

from __future__ import annotations

import math

import pytest

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
