"""Scaling and power transforms against scikit-learn and scipy, and at the ends of what numbers can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from sklearn import preprocessing

from kernel_tools.wrangler.operators.base import StepError
from kernel_tools.wrangler.operators.likelihood import box_cox_exponent, yeo_johnson_exponent
from tests.wrangler.operators.fitting import fit

RANDOM = np.random.default_rng(7)
ROWS = np.column_stack(
    [RANDOM.normal(1e6, 3, 400), RANDOM.gamma(2, 5, 400), RANDOM.integers(-3, 9, 400), np.full(400, 7.5)]
)
ROWS[RANDOM.random(ROWS.shape) < 0.1] = np.nan
NAMES = ["far", "skewed", "whole", "constant"]
NEW = np.array([[0.0, -1.0, 50.0, 8.0], [np.nan, 30.0, 2.0, np.nan]])


def table(rows: np.ndarray) -> pa.Table:
    """Return columns of floats, missing where NaN."""
    return pa.table({name: pa.array(rows[:, place], from_pandas=True) for place, name in enumerate(NAMES)})


def matrix(found: pa.Table) -> np.ndarray:
    """Return the rows of a table as floats."""
    return np.column_stack([found[name].to_numpy() for name in found.column_names])


@pytest.mark.parametrize(
    ("op", "params", "oracle"),
    [
        ("standardize", {}, preprocessing.StandardScaler()),
        ("standardize", {"center": False}, preprocessing.StandardScaler(with_mean=False)),
        ("standardize", {"scale": False}, preprocessing.StandardScaler(with_std=False)),
        ("min_max_scale", {}, preprocessing.MinMaxScaler()),
        ("min_max_scale", {"low": -1, "high": 4, "clip": True}, preprocessing.MinMaxScaler((-1, 4), clip=True)),
        ("robust_scale", {}, preprocessing.RobustScaler()),
        ("robust_scale", {"lower": 0.1, "upper": 0.7}, preprocessing.RobustScaler(quantile_range=(10, 70))),
        ("max_abs_scale", {}, preprocessing.MaxAbsScaler()),
    ],
    ids=str,
)
def test_a_scale_is_that_of_scikit_learn(op: str, params: dict[str, Any], oracle: Any) -> None:
    fitted = fit(op, {"columns": NAMES, **params}, table(ROWS))
    np.testing.assert_allclose(matrix(fitted.training), oracle.fit_transform(ROWS), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(matrix(fitted.apply(table(NEW))), oracle.transform(NEW), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("op", ["standardize", "min_max_scale", "robust_scale"])
def test_a_spread_that_no_number_can_hold_is_refused_by_name(op: str) -> None:
    with pytest.raises(StepError, match="'x'.*near the largest number"):
        fit(op, {"columns": ["x"]}, {"x": [1e308, -1e308, 1e308, -1e308]})


def test_the_largest_number_has_a_scale() -> None:
    fitted = fit("max_abs_scale", {"columns": ["x"]}, {"x": [1e308, -1.7e308, None]})
    assert fitted.training["x"].to_pylist() == [pytest.approx(1 / 1.7), -1.0, None]


def test_rounding_is_no_spread() -> None:
    rows = {"x": [0.1 + 0.2, 0.3] * 50}
    assert fit("standardize", {"columns": ["x"]}, rows).state["columns"]["x"]["scale"] == 1.0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_exponents_are_those_of_scipy(scale: float) -> None:
    skewed = RANDOM.gamma(2, 3, 500) * scale
    assert box_cox_exponent(skewed) == pytest.approx(stats.boxcox(skewed)[1], abs=1e-6)
    signed = RANDOM.normal(0.5, 1, 500) * scale
    np.testing.assert_allclose(
        stats.yeojohnson_llf(yeo_johnson_exponent(signed), signed),
        stats.yeojohnson_llf(stats.yeojohnson(signed)[1], signed),
    )


def test_exponents_exist_where_powers_overflow() -> None:
    wide = np.array([1e-300, 1.0, 5.0, 1e308])
    assert box_cox_exponent(wide) == pytest.approx(stats.boxcox(wide)[1], abs=1e-6)
    assert np.isfinite(yeo_johnson_exponent(np.array([-1e308, 0.0, 3.0, 1e308])))


def test_power_transforms_are_those_of_scikit_learn() -> None:
    rows = {"up": RANDOM.gamma(2, 3, 300), "down": -RANDOM.gamma(2, 3, 300) + 1}
    both = np.column_stack(list(rows.values()))
    oracle = preprocessing.PowerTransformer("yeo-johnson", standardize=False)
    found = fit("yeo_johnson", {"columns": ["up", "down"]}, rows).training
    np.testing.assert_allclose(matrix(found), oracle.fit_transform(both), rtol=1e-5)
    found = fit("box_cox", {"columns": ["up"]}, {"up": rows["up"]}).training
    np.testing.assert_allclose(found["up"].to_numpy(), stats.boxcox(rows["up"])[0], rtol=1e-5)


def test_what_has_no_power_is_missing() -> None:
    fitted = fit("box_cox", {"columns": ["x"]}, {"x": [1.0, 4.0, 9.0, 0.0, -1.0, None]})
    assert fitted.training["x"].to_pylist()[3:] == [None, None, None]


def test_quantile_bins_are_those_of_scikit_learn() -> None:
    rows = RANDOM.gamma(2, 3, 301)
    oracle = preprocessing.KBinsDiscretizer(7, encode="ordinal", strategy="quantile", quantile_method="linear")
    fitted = fit("quantile_bins", {"columns": ["x"], "bins": 7}, {"x": rows})
    assert fitted.training["x"].to_pylist() == oracle.fit_transform(rows[:, None])[:, 0].tolist()
    new = np.array([-9.0, 1e9, fitted.state["edges"]["x"][2]])
    assert fitted.apply({"x": new})["x"].to_pylist() == [0, 6, 3]


def test_ties_leave_fewer_bins() -> None:
    fitted = fit("quantile_bins", {"columns": ["x"], "bins": 4}, {"x": [1, 1, 1, 1, 1, 2, 3, None]})
    assert fitted.training["x"].to_pylist() == [0, 0, 0, 0, 0, 1, 1, None]


def test_components_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    rows = RANDOM.normal(size=(200, 5)) @ RANDOM.normal(size=(5, 5)) + 1000
    names = list("abcde")
    columns = {name: rows[:, place] for place, name in enumerate(names)}
    found = fit("pca", {"columns": names, "components": 3}, columns)
    np.testing.assert_allclose(matrix(found.training), PCA(3).fit_transform(rows), rtol=1e-7, atol=1e-7)
    scaled = preprocessing.StandardScaler().fit_transform(rows)
    found = fit("pca", {"columns": names, "variance": 0.9, "scale": True}, columns)
    oracle = PCA(0.9, svd_solver="full")
    np.testing.assert_allclose(matrix(found.training), oracle.fit_transform(scaled), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found.state["shares"], oracle.explained_variance_ratio_)
