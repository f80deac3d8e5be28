"""Missing values: filled as pandas and scikit-learn do, from columns, from neighbours and from rows around."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # makes the next import possible
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

from kernel_tools.wrangler.operators.base import StepError
from tests.wrangler.operators.fitting import fit

RANDOM = np.random.default_rng(3)
ROWS = RANDOM.normal(size=(150, 4)) @ RANDOM.normal(size=(4, 4)) * 10
ROWS[:, 3] = RANDOM.integers(0, 4, 150)
ROWS[RANDOM.random(ROWS.shape) < 0.2] = np.nan
NAMES = list("abcd")


def table(rows: np.ndarray) -> pa.Table:
    """Return columns of floats, missing where NaN."""
    return pa.table({name: pa.array(rows[:, place], from_pandas=True) for place, name in enumerate(NAMES)})


def matrix(found: pa.Table) -> np.ndarray:
    """Return the rows of a table as floats."""
    return np.column_stack([found[name].to_numpy() for name in found.column_names])


@pytest.mark.parametrize(
    ("strategy", "oracle"),
    [
        ("mean", SimpleImputer()),
        ("median", SimpleImputer(strategy="median")),
        ("mode", SimpleImputer(strategy="most_frequent")),
        ("knn", KNNImputer()),
        ("iterative", IterativeImputer(random_state=0)),
    ],
)
def test_imputed_values_are_those_of_scikit_learn(strategy: str, oracle: object) -> None:
    fitted = fit("impute", {"columns": NAMES, "strategy": strategy}, table(ROWS))
    expected = oracle.fit_transform(ROWS)  # type: ignore[attr-defined]  # each has it
    np.testing.assert_allclose(matrix(fitted.training), expected, rtol=1e-9)
    new = np.array([[1.0, np.nan, 3.0, np.nan], [np.nan] * 4])
    expected = oracle.transform(new)  # type: ignore[attr-defined]  # each has it
    np.testing.assert_allclose(matrix(fitted.apply(table(new))), expected, rtol=1e-9)


def test_the_smallest_of_several_most_frequent_values_is_filled_in() -> None:
    rows = {"x": ["b", "a", None, "a", "b", "c"], "y": [3, 3, 1, 1, None, 0]}
    fitted = fit("impute", {"columns": ["x", "y"], "strategy": "mode"}, rows)
    assert fitted.state["values"] == {"x": "a", "y": 1}


def test_a_column_without_any_value_stays() -> None:
    rows = {"x": pa.array([None, None], pa.float64()), "y": [1.0, None]}
    for strategy in ("mean", "mode", "knn", "iterative"):
        fitted = fit("impute", {"columns": ["x", "y"], "strategy": strategy}, rows)
        assert fitted.training.to_pylist() == [{"x": None, "y": 1.0}, {"x": None, "y": 1.0}], strategy
        assert fitted.apply({"x": [5.0], "y": pa.array([None], pa.float64())}).to_pylist() == [{"x": 5.0, "y": 1.0}], (
            strategy
        )


def test_a_mean_that_no_number_can_hold_is_refused_by_name() -> None:
    with pytest.raises(StepError, match="mean of 'x' cannot be computed"):
        fit("impute", {"columns": ["x"], "strategy": "mean"}, {"x": [1.7e308, 1.7e308, None]})
    fitted = fit("impute", {"columns": ["x"]}, {"x": [1.7e308, 1.7e308, None]})
    assert fitted.training["x"].to_pylist() == [1.7e308] * 3


def test_knn_remembers_no_more_rows_than_it_may() -> None:
    fitted = fit("impute", {"columns": NAMES, "strategy": "knn", "rows": 20}, table(ROWS))
    assert len(fitted.state["rows"]) == 20
    assert not np.isnan(matrix(fitted.training)).any()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (pa.array([1, None]), "one", "'one' is no value for the column 'x', which holds numbers"),
        (pa.array(["a", None]), 1, "holds text"),
        (pa.array([True, None]), 1, "holds true and false"),
        (pa.array([None], pa.date32()), "31.12.2024", "written as 2024-12-31"),
    ],
)
def test_a_value_that_a_column_cannot_hold_is_refused(column: pa.Array, value: object, message: str) -> None:
    with pytest.raises(StepError, match=message):
        fit("fill", {"columns": ["x"], "value": value}, {"x": column})


def test_disguised_values_are_missing() -> None:
    rows = {"x": ["NA", " n/a\t", "", "none", "?", "nancy", "x", None], "n": [0, -999, 9999, 1, 2, 3, 4, None]}
    text = fit("disguised_to_null", {"columns": ["x", "n"]}, rows).training
    assert text["x"].to_pylist() == [None] * 5 + ["nancy", "x", None]
    assert text["n"].to_pylist() == rows["n"]
    numbers = fit("disguised_to_null", {"columns": ["n"], "values": [-999, "9999.0"]}, rows).training
    assert numbers["n"].to_pylist() == [0, None, None, 1, 2, 3, 4, None]


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_filling_from_rows_is_that_of_pandas(direction: str) -> None:
    frame = pd.DataFrame(
        {
            "at": RANDOM.permutation(60),
            "group": RANDOM.choice(["a", "b", None], 60),
            "x": np.where(RANDOM.random(60) < 0.5, np.nan, RANDOM.normal(size=60)),
        }
    )
    params = {"columns": ["x"], "direction": direction, "partition_by": ["group"], "order_by": ["at"]}
    found = fit("fill_direction", params, pa.Table.from_pandas(frame)).training.to_pandas()
    groups = frame.sort_values("at").groupby("group", dropna=False)["x"]
    expected = (groups.ffill() if direction == "forward" else groups.bfill()).sort_index()
    np.testing.assert_array_equal(found["x"], expected)
    assert found["at"].tolist() == frame["at"].tolist()


def test_interpolated_values_are_those_of_pandas() -> None:
    values = np.where(RANDOM.random(80) < 0.6, np.nan, RANDOM.normal(size=80))
    at = np.sort(RANDOM.random(80)) * 100
    plain = fit("interpolate", {"columns": ["x"]}, {"x": pa.array(values, from_pandas=True)}).training
    expected = pd.Series(values).interpolate(limit_area="inside")
    np.testing.assert_allclose(plain["x"].to_numpy(), expected)
    shuffled = RANDOM.permutation(80)
    rows = {"x": pa.array(values[shuffled], from_pandas=True), "at": at[shuffled]}
    along = fit("interpolate", {"columns": ["x"], "along": "at"}, rows).training
    expected = pd.Series(values, index=at).interpolate("index", limit_area="inside").to_numpy()[shuffled]
    np.testing.assert_allclose(along["x"].to_numpy(), expected)


def test_times_are_a_place_too() -> None:
    times = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-05"])
    found = fit("interpolate", {"columns": ["x"], "along": "at"}, {"x": [0.0, None, 8.0], "at": times}).training
    assert found["x"].to_pylist() == [0.0, 2.0, 8.0]
