"""Analyses against what pandas, scipy, scikit-learn and statsmodels say of the same tables."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import contingency

from kernel_tools.core.errors import ForbiddenError, InvalidDataError, NotFoundError, TooLargeError
from kernel_tools.wrangler.analyses import ANALYSES, analysis_class, analysis_schema, analyze
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators.base import StepError

N = 6_000


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    x = generator.normal(size=N)
    group = pd.Series(generator.choice(["a", "b", "c", "(other)"], size=N, p=[0.5, 0.3, 0.15, 0.05]))
    return pd.DataFrame(
        {
            "x": pd.Series(x).mask(generator.random(N) < 0.1),
            "y": 1e9 + 2 * x + generator.normal(size=N),
            "i": generator.integers(0, 12, N),
            "group": group.mask(generator.random(N) < 0.05),
            "flag": (group == "a") ^ (generator.random(N) < 0.1),
            "many": [f"v{number % 97}" for number in range(N)],
            "day": pd.date_range("2020-01-01", periods=N, freq="h"),
            "sum": x + 3.0,
        }
    )


@pytest.fixture(scope="module")
def engine(frame):
    with Engine() as engine:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        engine.register(table, "t")
        engine.register(table.slice(0, 900), "small")
        engine.register(
            pa.table({"x": pa.array([None, None], pa.float64()), "k": ["a", "b"], "c": [1.0, 1.0]}), "empty"
        )
        engine.register(
            pa.table({"x": [1.0, 2.0, float("inf"), -1.7e308, 1.7e308], "d": pa.array([0] * 5, pa.date32())}), "bad"
        )
        yield engine


def test_every_kind_has_a_schema_with_hints_and_its_own_name():
    for kind in ANALYSES:
        schema = analysis_schema(kind)
        assert analysis_class(kind).kind == kind and schema["$id"].endswith(kind) and schema["title"]
        assert all("description" in field for field in schema["properties"].values())
    assert analysis_schema("box")["properties"]["column"]["x-ui"] == {"widget": "column", "kinds": ["number"]}


def test_wrong_kinds_parameters_and_columns_are_refused_with_the_field(engine):
    with pytest.raises(NotFoundError, match="histogram"):
        analyze(engine, "t", "pie")
    for kind, params, field in [
        ("histogram", {"column": "nope"}, "column"),
        ("histogram", {"column": "x", "bins": 0}, "bins"),
        ("box", {"column": "group"}, "column"),
        ("heat_map", {"x": "x", "y": "x"}, "y"),
        ("multicollinearity", {"method": "lasso"}, "target"),
        ("decomposition", {"time": "day", "value": "x"}, "period"),
    ]:
        with pytest.raises(StepError) as caught:
            analyze(engine, "t", kind, **params)
        assert caught.value.field == field


def test_a_histogram_counts_as_numpy_does(engine, frame):
    found = analyze(engine, "t", "histogram", column="x", bins=17)
    assert found.table["rows"].tolist() == np.histogram(frame["x"].dropna(), 17)[0].tolist()
    assert found.exact and found.n == frame["x"].count() and "finite" in found.notes[0]
    whole = analyze(engine, "t", "histogram", column="i", bins=12)
    assert whole.table["rows"].tolist() == frame["i"].value_counts().sort_index().tolist()
    json.dumps(whole.to_dict(), allow_nan=False)


def test_groups_of_a_histogram_add_up_and_name_the_others(engine, frame):
    found = analyze(engine, "t", "histogram", column="many", most=5, color="group", facet="flag")
    assert found.table["rows"].sum() == N
    counts = found.table.groupby("group")["rows"].sum()
    assert (
        counts["(missing)"] == frame["group"].isna().sum() and counts["(other)"] == (frame["group"] == "(other)").sum()
    )
    assert found.table["values"].nunique() == 6 and "(other)" in found.notes[0]
    assert len(found.figure.data) == 2 * 5


def test_infinite_and_huge_values_and_one_date_are_drawn(engine):
    found = analyze(engine, "bad", "histogram", column="x", bins=4)
    assert found.n == 4 and found.table["rows"].tolist() == [1, 0, 2, 1]
    assert analyze(engine, "bad", "histogram", column="d").table["values"].tolist() == ["1970-01-01 to 1970-01-02"]


def test_few_points_are_drawn_and_many_are_counted_in_cells(engine, frame):
    few = analyze(engine, "small", "scatter", x="x", y="y", color="group", facet="flag")
    assert not few.facts["binned"] and sum(len(trace.x) for trace in few.figure.data) == few.n
    many = analyze(engine, "t", "scatter", x="day", y="y")
    assert many.facts["binned"] and many.exact and np.asarray(many.figure.data[0].customdata).sum() == N
    colored = analyze(engine, "t", "scatter", x="sum", y="y", color="group")
    assert sum(np.asarray(trace.customdata).sum() for trace in colored.figure.data) == N


def test_boxes_have_the_quartiles_of_pandas_and_whiskers_of_tukey(engine, frame):
    found = analyze(engine, "t", "box", column="x", by="group", facet="flag")
    for row in found.table.to_dict("records"):
        group = frame["group"].isna() if row["group"] == "(missing)" else frame["group"] == row["group"]
        values = frame["x"][group & (frame["flag"] == (row["flag"] == "true"))].dropna()
        low, middle, high = values.quantile([0.25, 0.5, 0.75])
        inside = values[values.between(low - 1.5 * (high - low), high + 1.5 * (high - low))]
        assert [row["q1"], row["median"], row["q3"]] == pytest.approx([low, middle, high])
        assert [row["lower"], row["upper"]] == pytest.approx([inside.min(), inside.max()])
        assert row["n"] == len(values) and row["outliers"] == len(values) - len(inside)
    assert len(found.table) == 10 and found.n == frame["x"].count()


def test_a_heat_map_has_the_figures_of_each_cell(engine, frame):
    found = analyze(engine, "t", "heat_map", x="group", y="flag", value="x", statistic="std").table
    expected = frame.groupby(["group", "flag"])["x"].std()
    for (group, flag), value in expected.items():
        cell = found[(found["group"] == group) & (found["flag"] == str(flag).lower())]
        assert cell["std of x"].item() == pytest.approx(value)
    assert analyze(engine, "t", "heat_map", x="x", y="day").table["rows"].sum() == frame["x"].count()


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlations_of_numbers_are_those_of_pandas(engine, frame, method):
    found = analyze(engine, "t", "correlation", method=method).table.set_index("column")
    near = frame.assign(y=frame["y"] - 1e9)  # pandas loses digits to a large mean
    expected = near[["x", "y", "i", "sum"]].corr(method)
    pd.testing.assert_frame_equal(found, expected, check_names=False, rtol=1e-9, atol=1e-9)


def test_categories_are_compared_by_cramers_v_and_with_numbers_by_eta(engine, frame):
    found = analyze(engine, "t", "correlation", columns=["x", "group", "flag", "many"]).table.set_index("column")
    counts = pd.crosstab(frame["group"], frame["flag"])
    assert found.loc["group", "flag"] == pytest.approx(contingency.association(counts, method="cramer"))
    known = frame.dropna(subset=["x", "group"])
    means = known.groupby("group")["x"].transform("mean")
    eta = np.sqrt(((means - known["x"].mean()) ** 2).sum() / ((known["x"] - known["x"].mean()) ** 2).sum())
    assert found.loc["x", "group"] == found.loc["group", "x"] == pytest.approx(eta)


def test_a_summary_has_a_row_for_each_column(engine, frame):
    found = analyze(engine, "t", "table_summary")
    table = found.table.set_index("column")
    assert list(table.index) == list(frame.columns)
    assert table.loc["x", "missing"] == frame["x"].isna().sum()
    assert table.loc["x", "50 %"] == pytest.approx(frame["x"].median())
    assert table.loc["group", "top"] == "a"
    json.dumps(found.to_dict(), allow_nan=False)


def test_models_say_how_many_rows_they_took(engine):
    leaks = analyze(engine, "t", "target_leakage", target="sum", columns=["x", "y", "i"], rows=2_000)
    assert leaks.table["column"][0] in ("x", "y") and not leaks.exact and 1_500 < leaks.n < 2_500 and leaks.notes
    model = analyze(engine, "small", "quick_model", target="flag", columns=["group", "x"], rows=None)
    assert model.exact and model.facts["metrics"]["roc_auc"] > 0.8 and model.table["column"][0] == "group"


def test_multicollinearity_is_that_of_the_complete_rows(engine, frame):
    from sklearn.linear_model import Lasso, LinearRegression

    names = ["x", "y", "i", "sum"]
    known = frame[names].dropna()
    scaled = (known - known.mean()) / known.std(ddof=0)
    factors = analyze(engine, "t", "multicollinearity", columns=names[:3]).table.set_index("column")["vif"]
    model = LinearRegression().fit(scaled[["x", "i"]], scaled["y"])
    assert factors["y"] == pytest.approx(1 / (1 - model.score(scaled[["x", "i"]], scaled["y"])))
    clipped = analyze(engine, "t", "multicollinearity", columns=names).table.set_index("column")["vif"]
    assert clipped["x"] == clipped["sum"] == 50
    singular = analyze(engine, "t", "multicollinearity", columns=names, method="pca").table["singular value"]
    assert singular.to_numpy() == pytest.approx(np.linalg.svd(scaled, compute_uv=False), abs=1e-3)
    lasso = analyze(engine, "t", "multicollinearity", columns=["x", "i"], method="lasso", target="y", alpha=0.05)
    expected = Lasso(alpha=0.05).fit(scaled[["x", "i"]], scaled["y"]).coef_
    assert lasso.table.set_index("column")["coefficient"][["x", "i"]].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_a_series_is_decomposed_and_its_planted_anomaly_found():
    days = pd.date_range("2024-01-01", periods=140, freq="D")
    values = np.arange(140) * 0.5 + 10 * np.sin(2 * np.pi * np.arange(140) / 7)
    values = values + np.random.default_rng(1).normal(0, 0.5, 140)
    values[50] += 40
    data = pd.DataFrame({"day": days, "value": values}).drop(index=[20, 21])
    with Engine() as engine:
        engine.register(pa.Table.from_pandas(data, preserve_index=False), "t")
        found = analyze(engine, "t", "anomalies", time="day", value="value", unit="day", k=5)
        assert found.table["time"].tolist() == [days[50]] and found.facts["times"] == 140
        assert "2 times without a row" in found.notes[0]
        parts = analyze(engine, "t", "decomposition", time="day", value="value", period=7)
        table = parts.table
        assert (table["trend"] + table["season"] + table["residual"]).to_numpy() == pytest.approx(table["observed"])
        with pytest.raises(InvalidDataError, match="two seasons"):
            analyze(engine, "t", "decomposition", time="day", value="value", period=100)
        with pytest.raises(TooLargeError, match="larger unit"):
            analyze(engine, "t", "anomalies", time="day", value="value", unit="second")


def test_own_code_runs_only_when_trusted_and_fails_with_a_message(engine):
    code = "figure = px.histogram(df, x='x')"
    with pytest.raises(ForbiddenError, match="trust"):
        analyze(engine, "t", "custom_plotly", code=code)
    found = analyze(engine, "t", "custom_plotly", code=code, rows=100, trusted=True)
    assert found.n == 100 and not found.exact and found.figure.data
    for wrong in ("figure = (", "1 / 0", "x = 1"):
        with pytest.raises(StepError) as caught:
            analyze(engine, "t", "custom_plotly", code=wrong, trusted=True)
        assert caught.value.field == "code"


def test_a_column_without_values_is_said_to_be_empty(engine):
    with pytest.raises(InvalidDataError, match="no value"):
        analyze(engine, "empty", "histogram", column="x")
    assert analyze(engine, "empty", "scatter", x="x", y="c").n == 0
    assert analyze(engine, "empty", "box", column="x").n == 0
    with pytest.raises(InvalidDataError, match="vary"):
        analyze(engine, "empty", "multicollinearity")
    assert analyze(engine, "empty", "correlation").table["x"].isna().all()
