"""The profile of a column, checked against pandas and numpy."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.profiling import ColumnProfile, profile, profiling


@pytest.fixture
def engine():
    with Engine() as engine:
        yield engine


def _profile(engine: Engine, values: list, dtype: pa.DataType | None = None, **options: int) -> ColumnProfile:
    engine.register(pa.table({"x": pa.array(values, dtype)}), "t")
    return profile(engine, "t", **options)[0]


def _numbers() -> list[float | None]:
    generator = np.random.default_rng(3)
    values: list[float | None] = [*np.round(generator.lognormal(size=2_000), 2), *[None] * 50, 0.0, -0.0, -3.5]
    return values


@pytest.mark.parametrize("large", [False, True])
def test_the_numbers_of_a_profile_are_those_of_pandas(engine, monkeypatch, large):
    monkeypatch.setattr(profiling, "LARGE", 0 if large else 10**9)
    values = _numbers()
    column = pd.Series(values, dtype=float)
    found = _profile(engine, values, bins=7)
    assert (found.n, found.count, found.missing) == (len(column), column.count(), column.isna().sum())
    assert (found.distinct, found.zeros, found.negatives) == (column.nunique(), 2, 1)
    assert found.unique == (column.value_counts() == 1).sum()
    for name, value in {
        "mean": column.mean(),
        "std": column.std(),
        "skew": column.skew(),
        "kurtosis": column.kurt(),
    }.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-9)
    for order, value in found.quantiles.items():
        assert value == pytest.approx(column.quantile(float(order)), rel=1e-12)
    counts, edges = np.histogram(column.dropna(), bins=7)
    assert found.histogram.counts == counts.tolist()
    assert found.histogram.edges == pytest.approx(edges)
    expected = column.value_counts().reset_index().sort_values(["count", "index"], ascending=[False, True])[:10]
    assert [(top.value, top.count) for top in found.top] == list(expected.itertuples(index=False, name=None))
    assert not found.approximate


@pytest.mark.parametrize("large", [False, True])
def test_dates_have_quantiles_and_a_histogram_in_iso_8601(engine, monkeypatch, large):
    monkeypatch.setattr(profiling, "LARGE", 0 if large else 10**9)
    days = [datetime.date(1, 1, 1), datetime.date(2024, 2, 29), datetime.date(9999, 12, 31), None]
    found = _profile(engine, days)
    assert (found.minimum, found.quantiles["0.5"], found.maximum) == ("0001-01-01", "2024-02-29", "9999-12-31")
    assert (found.count, found.missing, found.distinct) == (3, 1, 3)
    assert sum(found.histogram.counts) == 3
    moments = [datetime.datetime(2024, 1, 1, 12, 30, 0, 250), datetime.datetime(1969, 1, 1)]
    found = _profile(engine, moments, pa.timestamp("us", "UTC"))
    assert (found.minimum, found.maximum) == ("1969-01-01T00:00:00", "2024-01-01T12:30:00.000250")


def test_infinities_are_invalid_and_in_no_statistic(engine):
    found = _profile(engine, [1.0, 2.0, float("inf"), float("-inf"), float("nan"), None])
    assert (found.count, found.missing, found.invalid) == (4, 2, 2)
    assert (found.minimum, found.maximum, found.mean) == (1.0, 2.0, 1.5)
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "values",
    [[1e308, -1e308, 1e308], [1e-300, 2e-300, 3e-300], [7, 7, 7], [2**63 - 1, -(2**63)], [None, 1], [True, None]],
)
def test_extreme_numbers_give_finite_numbers_or_none(engine, values):
    json.dumps(_profile(engine, values).to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "dtype", [pa.int64(), pa.float64(), pa.string(), pa.timestamp("us"), pa.bool_(), pa.list_(pa.int8())]
)
def test_a_column_without_values_has_a_profile_without_them(engine, dtype):
    found = _profile(engine, [None, None], dtype)
    assert (found.count, found.missing, found.distinct, found.top) == (0, 2, 0, [])


def test_few_whole_numbers_have_a_bin_each(engine):
    found = _profile(engine, [3, 1, 3, 5])
    assert (found.histogram.edges, found.histogram.counts) == ([1, 2, 3, 4, 5, 6], [1, 0, 2, 0, 1])


def test_texts_have_lengths_blanks_and_ties_by_value(engine):
    found = _profile(engine, ["b", "a", "", " \t", "žluť😀", "a", "b", None], top=2)
    assert [(top.value, top.count) for top in found.top] == [("a", 2), ("b", 2)]
    assert (found.invalid, found.distinct, found.unique, found.missing) == (2, 5, 3, 1)
    assert (found.lengths.minimum, found.lengths.maximum) == (0, 5)
    assert found.lengths.mean == pytest.approx(11 / 7)


def test_the_pattern_of_texts_is_told_with_its_share(engine):
    found = _profile(engine, ["AB-123", "CD-45", "EF-6789", "?"])
    assert (found.pattern.pattern, found.pattern.share) == ("{letters:2}-{digits:2-4}", 0.75)
    assert found.pattern.is_exact


def test_columns_come_in_the_order_in_which_they_are_wanted(engine):
    engine.register(pa.table({"a": [1], "b": ["x"], "c": [True]}), "t")
    assert [found.name for found in profile(engine, "t", ["c", "a"])] == ["c", "a"]
    with pytest.raises(InvalidArgumentError, match="no column 'd'"):
        profile(engine, "t", ["d"])
