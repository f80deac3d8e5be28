"""Balanced classes: how many rows, which ones, and that new rows are left alone."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from imblearn.over_sampling import SMOTE

from kernel_tools.wrangler.operators.base import StepError
from tests.wrangler.operators.fitting import fit

RANDOM = np.random.default_rng(1)
CLASSES = ["a"] * 30 + ["b"] * 12 + ["c"] * 6 + [None] * 2
ROWS = {
    "y": CLASSES,
    "x": RANDOM.normal(size=50),
    "n": RANDOM.integers(0, 100, 50),
    "w": RANDOM.choice(["u", "v", None], 50).tolist(),
    "d": [date(2024, 1, 1 + place % 3) for place in range(50)],
}


@pytest.mark.parametrize(
    ("method", "ratio", "expected"),
    [
        ("over", 1.0, {"a": 30, "b": 30, "c": 30, None: 2}),
        ("over", 0.3, {"a": 30, "b": 12, "c": 9, None: 2}),
        ("under", 1.0, {"a": 6, "b": 6, "c": 6, None: 2}),
        ("under", 0.4, {"a": 15, "b": 12, "c": 6, None: 2}),
        ("smote", 0.5, {"a": 30, "b": 15, "c": 15, None: 2}),
    ],
)
def test_classes_have_the_rows_that_were_asked_for(method: str, ratio: float, expected: dict[str | None, int]) -> None:
    params = {"target": "y", "method": method, "ratio": ratio, "seed": 4}
    found = fit("balance", params, ROWS).training
    assert Counter(found["y"].to_pylist()) == expected
    assert found.schema == pa.table(ROWS).schema
    assert found.equals(fit("balance", params, ROWS).training)


def test_rows_that_were_there_come_first_and_repeated_ones_are_theirs() -> None:
    found = fit("balance", {"target": "y"}, ROWS).training.to_pylist()
    there = pa.table(ROWS).to_pylist()
    assert found[:50] == there
    assert all(row in there for row in found[50:])


def test_made_rows_lie_between_rows_of_their_class() -> None:
    found = fit("balance", {"target": "y", "method": "smote"}, ROWS).training.to_pylist()
    there = pa.table(ROWS).to_pylist()
    assert found[:50] == there
    for row in found[50:]:
        same = [other for other in there if other["y"] == row["y"]]
        assert min(other["x"] for other in same) <= row["x"] <= max(other["x"] for other in same)
        assert row["w"] in {other["w"] for other in same}


def test_made_numbers_are_those_of_imbalanced_learn() -> None:
    rows = {"y": CLASSES[:42], "x": ROWS["x"][:42], "z": RANDOM.normal(size=42)}
    found = fit("balance", {"target": "y", "method": "smote", "seed": 9}, rows).training
    expected, _ = SMOTE(random_state=9).fit_resample(np.column_stack([rows["x"], rows["z"]]), rows["y"])
    np.testing.assert_allclose(np.column_stack([found["x"], found["z"]]), expected)


def test_new_rows_are_not_balanced() -> None:
    assert fit("balance", {"target": "y"}, ROWS).apply(ROWS).num_rows == 50


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"y": ["a", "a", "b"], "x": [1.0, 2.0, 3.0]}, "one row only"),
        ({"y": ["a", "a", "a", "b", "b"], "x": [1.0, None, 3.0, 1.0, 2.0]}, "'x' has missing values"),
        ({"y": list(range(101)), "x": [1.0] * 101}, "at most 100 classes"),
        ({"y": ["a", "b"], "x": [[1], [2]]}, "cannot make values of 'x'"),
    ],
)
def test_what_smote_cannot_do_is_refused_in_words(rows: dict[str, list[object]], message: str) -> None:
    with pytest.raises(StepError, match=message):
        fit("balance", {"target": "y", "method": "smote"}, rows)


def test_a_single_class_stays_as_it_is() -> None:
    assert fit("balance", {"target": "y"}, {"y": ["a", "a", None]}).training.num_rows == 3
