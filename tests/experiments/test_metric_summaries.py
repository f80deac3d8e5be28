"""All metrics of a run at a glance, against what its histories say."""

from __future__ import annotations

import math
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel_tools import experiments
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.metric_summaries import CURVE_POINTS, summarize_metrics
from kernel_tools.experiments.run_files import RunFolder

POINTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(-5, 5), st.floats(allow_nan=True, allow_infinity=True)),
    min_size=1,
    max_size=200,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=POINTS)
def test_a_summary_says_what_the_history_says(tmp_path: Path, points: list[tuple[str, int, float]]) -> None:
    workspace = Workspace(tmp_path / "workspace")
    with experiments.start_run("x", workspace=workspace) as run:
        for key, step, value in points:
            run.log_metric(key, value, step=step)
    summaries = summarize_metrics(RunFolder(workspace, run.id), ["c", "b", "a", "none"])
    keys = {key for key, _, _ in points}
    assert [summary.key for summary in summaries] == [key for key in "cba" if key in keys]
    for summary in summaries:
        history = run.history(summary.key)
        assert summary.point_count == len(history)
        assert summary.last_step == history["step"].iloc[-1]
        assert _same(summary.last, history["value"].iloc[-1])
        numbers = history["value"].dropna()
        assert _same(summary.lowest, numbers.min() if len(numbers) else math.nan)
        assert _same(summary.highest, numbers.max() if len(numbers) else math.nan)
        at_lowest = history[history["step"] == summary.lowest_step]["value"]
        assert any(_same(value, summary.lowest) for value in at_lowest)
        assert len(summary.curve_steps) == len(summary.curve_values) <= CURVE_POINTS


def test_a_run_without_points_has_no_summaries(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    with experiments.start_run("x", workspace=workspace) as run:
        pass
    assert summarize_metrics(RunFolder(workspace, run.id), ["a"]) == []


def _same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))
