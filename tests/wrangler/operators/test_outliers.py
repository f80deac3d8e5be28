"""Outliers and rare categories: bounds as numpy computes them, and what becomes of what is beyond."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kernel_tools.wrangler.operators.base import StepError
from tests.wrangler.operators.fitting import fit

RANDOM = np.random.default_rng(11)
VALUES = np.append(RANDOM.normal(100, 5, 300), [400.0, -250.0])


def test_standard_bounds_are_deviations_from_the_mean() -> None:
    bounds = fit("outliers", {"columns": ["x"], "method": "standard", "deviations": 3}, {"x": VALUES}).state["bounds"]
    assert bounds["x"] == pytest.approx([VALUES.mean() - 3 * VALUES.std(), VALUES.mean() + 3 * VALUES.std()])


def test_robust_bounds_are_deviations_of_clipped_values_from_the_median() -> None:
    low, median, high = np.quantile(VALUES, [0.05, 0.5, 0.95])
    spread = 5 * np.clip(VALUES, low, high).std()
    fitted = fit("outliers", {"columns": ["x"], "deviations": 5}, {"x": VALUES})
    assert fitted.state["bounds"]["x"] == pytest.approx([median - spread, median + spread])
    np.testing.assert_allclose(fitted.training["x"].to_numpy(), VALUES.clip(median - spread, median + spread))


def test_quantile_bounds_are_interpolated() -> None:
    params = {"columns": ["x"], "method": "quantile", "lower_quantile": 0.013, "upper_quantile": 0.991}
    bounds = fit("outliers", params, {"x": VALUES}).state["bounds"]
    assert bounds["x"] == pytest.approx(np.quantile(VALUES, [0.013, 0.991]).tolist())


@pytest.mark.parametrize(
    ("fix", "expected"),
    [
        ("clip", {"x": [2, 2, 5, 9, None, 9], "y": [0.0, 1.0, 1.0, 2.0, 3.0, None]}),
        ("null", {"x": [None, 2, 5, 9, None, None], "y": [0.0, 1.0, 1.0, 2.0, 3.0, None]}),
        ("remove", {"x": [2, 5, 9, None], "y": [1.0, 1.0, 2.0, 3.0]}),
    ],
)
def test_what_is_beyond_given_bounds(fix: str, expected: dict[str, list[float | None]]) -> None:
    rows = {"x": [1, 2, 5, 9, None, 10], "y": [0.0, 1.0, 1.0, 2.0, 3.0, None]}
    fitted = fit("outliers", {"columns": ["x"], "method": "min_max", "lower": 2, "upper": 9, "fix": fix}, rows)
    assert fitted.training.to_pydict() == expected


def test_bounds_stay_for_new_rows() -> None:
    fitted = fit("outliers", {"columns": ["x"], "method": "quantile"}, {"x": list(range(101))})
    assert fitted.apply({"x": [-1, 50, 1000]})["x"].to_pylist() == [5.0, 50.0, 95.0]


def test_the_largest_numbers_are_refused_where_they_have_no_deviation() -> None:
    rows = {"x": [1.7e308, -1.7e308, 1.7e308]}
    with pytest.raises(StepError, match="lower bound of 'x' cannot be computed"):
        fit("outliers", {"columns": ["x"], "method": "standard"}, rows)
    fitted = fit("outliers", {"columns": ["x"], "method": "min_max", "upper": 10, "fix": "null"}, rows)
    assert fitted.training["x"].to_pylist() == [None, -1.7e308, None]


def test_rare_and_unseen_categories_are_others() -> None:
    words = RANDOM.choice(list("abcdefgh"), 500, p=[0.5, 0.3, 0.1, 0.05, 0.03, 0.01, 0.005, 0.005]).tolist() + [None]
    counts = pd.Series(words).value_counts()
    fitted = fit("replace_rare", {"columns": ["x"], "min_fraction": 0.04, "min_count": 30}, {"x": words})
    assert set(fitted.state["categories"]["x"]) == set(counts[(counts >= 30) & (counts / 500 >= 0.04)].index)
    assert fitted.apply({"x": ["a", "zebra", "h", None, ""]})["x"].to_pylist() == ["a", "other", "other", None, "other"]


def test_of_equally_frequent_categories_the_smaller_are_kept() -> None:
    params = {"columns": ["x"], "min_fraction": 0, "max_categories": 2}
    assert fit("replace_rare", params, {"x": ["c", "b", "a", "B"]}).state["categories"]["x"] == ["B", "a"]
