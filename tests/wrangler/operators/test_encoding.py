"""Encodings of categories, against scikit-learn and pandas: unseen and missing values, names that collide."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators import make_operator
from kernel_tools.wrangler.operators.base import StepError
from kernel_tools.wrangler.operators.chance import score
from tests.wrangler.operators.fitting import fit

RANDOM = np.random.default_rng(5)
WORDS = RANDOM.choice(["a", "b", "B", "é", "zz", ""], 200).astype(object)
NUMBERS = RANDOM.integers(0, 5, 200)
BOTH = pd.DataFrame({"w": WORDS, "n": NUMBERS})


def test_one_hot_is_that_of_scikit_learn() -> None:
    fitted = fit("one_hot", {"columns": ["w", "n"]}, pa.Table.from_pandas(BOTH))
    oracle = OneHotEncoder(sparse_output=False).fit(BOTH)
    expected = dict(zip(oracle.get_feature_names_out(), oracle.transform(BOTH).T, strict=True))
    assert fitted.training.num_columns == len(expected)
    for column, categories in fitted.state["categories"].items():
        for category, name in zip(categories, fitted.state["names"][column], strict=False):
            np.testing.assert_array_equal(fitted.training[name].to_numpy(), expected[f"{column}_{category}"])


def test_names_that_are_taken_get_a_number() -> None:
    rows = {"x": ["a", "a", "A", "b", None], "x_B": [1, 2, 3, 4, 5]}
    fitted = fit("one_hot", {"columns": ["x"], "others": True}, rows)
    assert fitted.training.column_names == ["x_B", "x_a", "x_A_2", "x_b_2", "x_others"]
    assert fitted.apply({"x": ["q", "b", None], "x_B": [0, 0, 0]}).to_pydict() == {
        "x_B": [0, 0, 0],
        "x_a": [0, 0, 0],
        "x_A_2": [0, 0, 0],
        "x_b_2": [0, 1, 0],
        "x_others": [1, 0, 1],
    }


def test_a_long_category_makes_no_endless_name() -> None:
    fitted = fit("one_hot", {"columns": ["x"]}, {"x": ["y" * 500, "y" * 501]})
    assert [len(name) for name in fitted.training.column_names] == [102, 104]


@pytest.mark.parametrize("op", ["one_hot", "ordinal", "frequency", "replace_rare", "impute"])
def test_categories_of_all_columns_are_learned_by_few_queries(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [f"c{place}" for place in range(8)]
    params = {"columns": columns, **({"strategy": "mode"} if op == "impute" else {})}
    queries: list[str] = []
    with Engine() as engine:
        table = engine.register(pa.table({name: ["a", "b"] for name in columns}))
        compute = engine.backend.to_pyarrow
        monkeypatch.setattr(engine.backend, "to_pyarrow", lambda *a, **k: (queries.append(op), compute(*a, **k))[1])
        make_operator(op, params).learn(table)
    assert 1 <= len(queries) <= 2


def test_places_are_those_of_scikit_learn() -> None:
    fitted = fit("ordinal", {"columns": ["w", "n"], "unseen": "minus_one"}, pa.Table.from_pandas(BOTH))
    oracle = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(BOTH)
    np.testing.assert_array_equal(fitted.training.to_pandas().to_numpy(), oracle.transform(BOTH))
    new = pd.DataFrame({"w": ["never", "a"], "n": [3, 77]})
    np.testing.assert_array_equal(fitted.apply(pa.Table.from_pandas(new)).to_pandas(), oracle.transform(new))


def test_places_of_dates_outlast_the_file_of_the_recipe() -> None:
    fitted = fit("ordinal", {"columns": ["x"], "unseen": "last"}, {"x": [date(2024, 2, 1), date(1, 1, 1), None]})
    new = {"x": [date(1, 1, 1), None, date(9999, 12, 31)]}
    assert fitted.apply(new)["x"].to_pylist() == [0, None, 2]


def test_frequencies_are_those_of_pandas() -> None:
    words = [*WORDS.tolist(), None]
    fitted = fit("frequency", {"columns": ["x"]}, {"x": words})
    expected = pd.Series(words).map(pd.Series(words).value_counts(normalize=True))
    np.testing.assert_allclose(fitted.training["x"].to_numpy(), expected)
    assert fitted.apply({"x": ["never", None]})["x"].to_pylist() == [0.0, None]


def target_rows(size: int = 300) -> tuple[np.ndarray, dict[str, Any], np.ndarray, np.ndarray]:
    """Return categories for scikit-learn, the same as a table, and two targets."""
    words = RANDOM.integers(0, 12, size).astype(str).astype(object)
    words[RANDOM.random(size) < 0.1] = None
    levels = RANDOM.integers(0, 4, size).astype(float)
    amount, churned = RANDOM.normal(1e6, 3, size), np.where(RANDOM.random(size) < 0.3, "yes", "no")
    both = np.empty((size, 2), object)
    both[:, 0], both[:, 1] = words, levels
    return both, {"w": words.tolist(), "n": levels, "amount": amount, "churned": churned}, amount, churned == "yes"


@pytest.mark.parametrize("smoothing", [None, 10.0])
@pytest.mark.parametrize("target", ["amount", "churned"])
def test_target_encoding_is_that_of_scikit_learn_without_the_fold_of_the_row(
    target: str, smoothing: float | None
) -> None:
    both, rows, amount, churned = target_rows()
    goal, kind = (amount, "continuous") if target == "amount" else (churned.astype(int), "binary")
    fitted = fit("target_encode", {"columns": ["w", "n"], "target": target, "smoothing": smoothing}, rows)

    def oracle(chosen: np.ndarray) -> Any:
        return TargetEncoder(smooth=smoothing or "auto", target_type=kind).fit(both[chosen], goal[chosen])

    folds = np.array([score(row, 0) % 5 for row in range(len(both))])
    expected = np.empty((len(both), 2))
    for fold in range(5):
        expected[folds == fold] = oracle(folds != fold).transform(both[folds == fold])
    found = np.column_stack([fitted.training[name].to_numpy() for name in ("w", "n")])
    np.testing.assert_allclose(found, expected, rtol=1e-9)

    new = {"w": ["3", "never", None], "n": [1.0, 9.0, 0.0], "amount": [0.0] * 3, "churned": ["no"] * 3}
    expected = oracle(folds >= 0).transform(np.array([["3", 1.0], ["never", 9.0], [None, 0.0]], object))
    found = np.column_stack([fitted.apply(new)[name].to_numpy() for name in ("w", "n")])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_category_of_each_row_tells_nothing_of_its_target() -> None:
    rows = {"x": [str(row) for row in range(500)], "y": RANDOM.normal(size=500)}
    fitted = fit("target_encode", {"columns": ["x"], "target": "y"}, rows)
    assert len(set(fitted.training["x"].to_pylist())) == 5
    assert len(fitted.state["columns"]["x"]["categories"]) == 500


def test_rare_categories_beyond_the_most_get_the_mean_of_all() -> None:
    rows = {"x": ["a"] * 6 + ["b"] * 5 + ["c"] * 4, "y": [1.0] * 6 + [2.0] * 5 + [9.0] * 4}
    fitted = fit("target_encode", {"columns": ["x"], "target": "y", "max_categories": 2}, rows)
    assert fitted.state["columns"]["x"]["categories"] == ["a", "b"]
    assert fitted.apply({"x": ["c"], "y": [0.0]})["x"].to_pylist() == [pytest.approx(np.mean(rows["y"]))]


def test_a_target_of_many_texts_needs_one_that_counts() -> None:
    rows = {"x": ["a", "b", "a", "b"], "y": ["u", "v", "w", "u"]}
    with pytest.raises(StepError, match="more than two classes"):
        fit("target_encode", {"columns": ["x"], "target": "y"}, rows)
    fitted = fit("target_encode", {"columns": ["x"], "target": "y", "positive": "u", "smoothing": 0}, rows)
    assert fitted.apply(rows)["x"].to_pylist() == [0.5, 0.5, 0.5, 0.5]


def test_a_target_without_any_value_teaches_nothing() -> None:
    rows = {"x": ["a", "b"], "y": pa.array([None, None], pa.float64())}
    assert fit("target_encode", {"columns": ["x"], "target": "y"}, rows).training["x"].to_pylist() == [None, None]
