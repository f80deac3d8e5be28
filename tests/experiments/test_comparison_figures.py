"""Figures of several runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel_tools import experiments
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.figures import SERIES_COLORS, figure_json
from kernel_tools.experiments.figures import (
    bars,
    boxes,
    compare_curves,
    compare_metric,
    metric_history,
    parallel_coordinates,
    scatter,
)
from kernel_tools.experiments.figures.code import figure_code
from kernel_tools.experiments.figures.identity import GREY
from kernel_tools.experiments.figures.smoothing import smooth
from kernel_tools.experiments.segment import Point

START = 1_700_000_000_000
numbers = st.floats(-1e200, 1e200)
series = st.lists(numbers | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=60)
weights = st.floats(0, 0.999)


@pytest.fixture
def runs(workspace):
    """Three runs: of unequal steps, one with NaN and infinity, one without the metric."""
    made = []
    for name, steps, values, params in (
        ("a", [0, 1, 2], [1.0, 0.5, 0.25], {"depth": 3, "booster": "hist"}),
        ("b", [0, 10, 100, 101], [1.0, math.nan, math.inf, 0.1], {"depth": 10, "booster": "exact"}),
        ("c", [], [], {"depth": 6}),
    ):
        with experiments.start_run("e", name, params, started_at=START, workspace=workspace) as run:
            run.log_points(
                Point("loss", value, step, START + 1000 * place)
                for place, (step, value) in enumerate(zip(steps, values, strict=True))
            )
            run.log_metric("auc", 0.9)
        made.append(run)
    return made


def traces(figure):
    return {trace["name"]: trace for trace in figure_json(figure)["data"]}


class TestSmoothing:
    @settings(deadline=None)
    @given(numbers, st.integers(1, 50), weights)
    def test_a_constant_series_stays_what_it_is(self, value, count, weight):
        assert smooth(np.full(count, value), weight).tolist() == [value] * count

    @settings(deadline=None)
    @given(series, weights)
    def test_a_mean_lies_between_the_extremes_and_what_is_no_number_stays(self, values, weight):
        array = np.array(values, dtype=float)
        smoothed = smooth(array, weight)
        finite = np.isfinite(array)
        np.testing.assert_array_equal(smoothed[~finite], array[~finite])
        if finite.any():
            assert array[finite].min() <= smoothed[finite].min()
            assert smoothed[finite].max() <= array[finite].max()
            assert smoothed[finite][0] == array[finite][0]

    @settings(deadline=None)
    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0.01, 0.99))
    def test_it_is_the_average_of_tensorboard(self, values, weight):
        last, expected = 0.0, []
        for count, value in enumerate(values, start=1):
            last = last * weight + (1 - weight) * value
            expected.append(last / (1 - weight**count))
        np.testing.assert_allclose(smooth(np.array(values), weight), expected, rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("weight", [-0.1, 1.0, math.nan])
    def test_a_weight_is_0_to_below_1(self, weight):
        with pytest.raises(InvalidArgumentError, match="smoothing"):
            smooth(np.ones(2), weight)


class TestCurves:
    def test_runs_without_the_metric_are_left_out_and_named(self, runs):
        figure = compare_curves(runs, ["loss"])
        assert set(traces(figure)) == {"a", "b"}
        assert figure.layout.meta == {"missing": [runs[2].id]}
        assert figure.layout.title.text == "1 of 3 runs has no such metric"
        assert figure.layout.hovermode == "x unified"

    def test_what_is_no_number_is_a_gap(self, runs):
        assert traces(compare_curves(runs, ["loss"]))["b"]["y"] == [1.0, None, None, 0.1]

    @pytest.mark.parametrize(
        ("x", "expected"),
        [
            ("step", [0, 1, 2]),
            ("relative", [0.0, 1.0, 2.0]),
            ("time", [f"2023-11-14T22:13:{second}.000000" for second in (20, 21, 22)]),
        ],
    )
    def test_the_axis_is_the_step_or_a_time(self, runs, x, expected):
        assert traces(compare_curves(runs, ["loss"], x=x))["a"]["x"] == expected

    def test_a_time_axis_is_in_the_order_of_time(self, workspace):
        with experiments.start_run("e", started_at=START, workspace=workspace) as run:
            run.log_points([Point("m", 1.0, 0, START + 5000), Point("m", 2.0, 1, START + 1000)])
        (trace,) = figure_json(compare_curves([run], ["m"], x="relative"))["data"]
        assert (trace["x"], trace["y"]) == ([1.0, 5.0], [2.0, 1.0])

    def test_a_smoothed_curve_keeps_the_points_as_they_are(self, runs):
        faint, smoothed = figure_json(compare_curves(runs[:1], ["loss"], smoothing=0.5))["data"]
        assert faint["y"] == [1.0, 0.5, 0.25]
        assert (faint["showlegend"], faint["hoverinfo"]) == (False, "skip")
        assert faint["opacity"] < 1
        np.testing.assert_allclose(smoothed["y"], [1.0, 2 / 3, 3 / 7])

    def test_a_run_keeps_its_colour_in_every_figure(self, runs):
        colors = dict(zip("abc", SERIES_COLORS[:3], strict=True))
        for key in ("loss", "auc"):
            drawn = traces(compare_curves(runs, [key]))
            assert {name: trace["line"]["color"] for name, trace in drawn.items()}.items() <= colors.items()
        assert list(bars(runs, "metrics.auc").data[0].marker.color) == list(colors.values())
        points = traces(scatter(runs, "params.depth", "metrics.auc"))
        assert {name: trace["marker"]["color"] for name, trace in points.items()} == colors

    def test_the_ninth_run_is_grey_and_the_pointer_tells_one_at_a_time(self, workspace):
        made = []
        for _ in range(10):
            with experiments.start_run("e", "twin", workspace=workspace) as run:
                run.log_metric("m", 1.0)
            made.append(run)
        figure = compare_curves(made, ["m"])
        assert [trace.line.color for trace in figure.data[7:]] == [SERIES_COLORS[7], GREY, GREY]
        assert (figure.layout.hovermode, figure.layout.showlegend) == ("closest", False)
        assert len({trace.name for trace in figure.data}) == 10

    def test_several_metrics_have_lines_of_their_own_kind(self, runs):
        drawn = traces(compare_curves(runs, ["loss", "auc"]))
        assert (drawn["a · loss"]["line"]["dash"], drawn["a · auc"]["line"]["dash"]) == ("solid", "dash")
        assert drawn["a · auc"]["mode"] == "markers"

    def test_a_long_curve_is_smoothed_whole_and_then_thinned(self, workspace):
        with experiments.start_run("e", workspace=workspace) as run:
            run.log_points(Point("m", math.sin(step), step, START) for step in range(5000))
        faint, smoothed = figure_json(compare_curves([run], ["m"], smoothing=0.9, max_points=100))["data"]
        assert len(faint["x"]) <= 100 >= len(smoothed["x"])
        whole = smooth(np.sin(np.arange(5000)), 0.9)
        np.testing.assert_allclose(smoothed["y"], whole[smoothed["x"]])

    def test_axes_may_be_logarithmic_but_not_a_date(self, runs):
        figure = compare_curves(runs, ["loss"], log_x=True, log_y=True)
        assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
        assert compare_curves(runs, ["loss"], log_x=True, x="time").layout.xaxis.type == "date"

    def test_what_cannot_be_drawn_is_refused(self, runs):
        with pytest.raises(InvalidArgumentError, match="'step', 'time' or 'relative'"):
            compare_curves(runs, ["loss"], x="epoch")
        with pytest.raises(InvalidArgumentError, match="max_points"):
            compare_curves(runs, ["loss"], max_points=3)

    def test_the_short_form_is_the_same_figure(self, runs):
        assert figure_json(compare_metric(runs, "loss")) == figure_json(compare_curves(runs, ["loss"]))

    def test_the_history_of_one_run_can_be_drawn_the_same_ways(self, runs):
        figure = metric_history(runs[0], ["loss", "auc"], x="relative", smoothing=0.5, log_y=True)
        assert figure.layout.yaxis.type == "log"
        assert len(figure.data) == 4
        with pytest.raises(NotFoundError):
            metric_history(runs[2], ["loss"])


class TestFigures:
    def test_parallel_coordinates_give_numbers_their_size_and_texts_their_places(self, runs):
        figure = parallel_coordinates(runs, ["params.depth", "params.booster", "metrics.auc"])
        drawn = traces(figure)
        assert set(drawn) == {"a", "b"}  # the third has no booster
        assert (drawn["a"]["y"], drawn["b"]["y"]) == ([0.0, 1.0, 0.5], [1.0, 0.0, 0.5])
        ticks = {annotation.text for annotation in figure.layout.annotations}
        assert {"3", "10", "6.5", "exact", "hist", "0.9"} == ticks
        assert drawn["a"]["text"][1] == "booster = hist"
        assert figure.layout.meta["missing"] == [runs[2].id]

    def test_lines_may_have_the_colours_of_a_number(self, runs):
        figure = parallel_coordinates(runs, ["params.depth", "metrics.auc"], "metrics.loss")
        assert figure.data[0].marker.colorbar.title.text == "loss"
        with pytest.raises(InvalidArgumentError, match="needs numbers"):
            parallel_coordinates(runs[:2], ["params.depth", "metrics.auc"], "params.booster")
        with pytest.raises(InvalidArgumentError, match="two fields"):
            parallel_coordinates(runs, ["params.depth"])

    def test_a_scatter_has_categories_where_there_are_texts(self, runs):
        figure = scatter(runs, "params.booster", "metrics.auc", color="params.booster")
        assert figure.layout.xaxis.type == "category"
        assert {trace.name: list(trace.x) for trace in figure.data} == {"hist": ["hist"], "exact": ["exact"]}
        (points,) = scatter(runs, "params.depth", "metrics.auc", color="params.depth").data
        assert list(points.marker.color) == [3.0, 10.0, 6.0]

    def test_bars_write_what_has_no_length(self, workspace):
        made = []
        for value in (0.5, math.nan, math.inf):
            with experiments.start_run("e", f"run {value}", workspace=workspace) as run:
                run.log_metric("m", value)
            made.append(run)
        (trace,) = figure_json(bars(made, "metrics.m"))["data"]
        assert (trace["x"], trace["text"]) == ([0.5, None, None], ["0.5", "nan", "inf"])

    def test_boxes_are_in_the_order_of_numbers(self, runs):
        figure = boxes(runs, "metrics.auc", "params.depth")
        assert [trace.name for trace in figure.data] == ["3", "6", "10"]
        with pytest.raises(InvalidArgumentError, match="needs numbers"):
            boxes(runs, "params.booster", "params.depth")

    @pytest.mark.parametrize("field", ["auc", "metrics.", "dataset.name", "metrics.auc > 1", ""])
    def test_a_field_is_one_of_the_search_grammar(self, runs, field):
        with pytest.raises(InvalidArgumentError):
            bars(runs, field)

    def test_a_comparison_in_which_nobody_takes_part_is_empty(self, runs):
        for figure in (
            bars(runs, "metrics.gone"),
            boxes(runs, "metrics.gone", "params.depth"),
            scatter(runs, "metrics.gone", "metrics.auc"),
            parallel_coordinates(runs, ["metrics.gone", "metrics.auc"], "metrics.gone"),
            compare_curves(runs, ["gone"]),
        ):
            assert figure.layout.meta["missing"] == [run.id for run in runs]
            assert figure_json(figure)

    @pytest.mark.parametrize(
        "values", [["nan"], ["inf", "1"], ["-1e308", "1e308"], ["1e-320", "2e-320"], ["text", "1"], ["", "nan", "2.5"]]
    )
    def test_no_value_of_a_parameter_is_a_defect(self, workspace, values):
        made = []
        for value in values:
            with experiments.start_run("e", "r", {"p": value, "q": 1}, workspace=workspace) as run:
                run.log_metric("m", 1.0)
            made.append(run)
        assert figure_json(scatter(made, "params.p", "metrics.m", "params.p"))
        assert figure_json(boxes(made, "metrics.m", "params.p"))
        assert figure_json(parallel_coordinates(made, ["params.p", "metrics.m"]))
        if "text" not in values and "" not in values:
            assert figure_json(parallel_coordinates(made, ["params.p", "metrics.m"], "params.p"))


def test_the_code_of_a_figure_makes_it(runs, workspace, monkeypatch):
    monkeypatch.setenv("ATELIER_HOME", str(workspace.root))
    arguments = {"keys": ["loss", 'a "quoted" \\ key\n'], "smoothing": 0.25, "log_y": True}
    text = figure_code("compare_curves", [run.id for run in runs], arguments)
    names: dict[str, object] = {}
    exec(text, names)
    assert figure_json(names["figure"]) == figure_json(compare_curves(runs, **arguments))
