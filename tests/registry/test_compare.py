"""Versions side by side."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from kernel_tools import experiments, registry
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError


@pytest.fixture
def versions(any_workspace, model) -> list[registry.ModelVersion]:
    made = []
    sample = pd.DataFrame({"a": [1.0]})
    for depth in (3, 6):
        with experiments.start_run(
            "census", f"depth-{depth}", {"depth": depth, "eta": 0.1}, workspace=any_workspace
        ) as run:
            run.log_metrics({"auc": depth / 10, "lost": math.nan})
        made.append(registry.register("census", model, run=run, sample_input=sample, workspace=any_workspace))
    made[1].set_tag("team", "risk")
    return made


def test_a_comparison_shows_what_differs(versions, any_workspace):
    table = registry.compare(versions, workspace=any_workspace)
    assert list(table.columns) == ["census 1", "census 2"]
    shown = set(table.index) - {("files", "model.skops")}  # skops never writes the same bytes twice
    assert shown == {("version", "run"), ("params", "depth"), ("metrics", "auc"), ("tags", "team")}
    assert table.loc[("params", "depth")].tolist() == ["3", "6"]
    assert table.loc[("metrics", "auc")].tolist() == [0.3, 0.6]
    assert table.loc[("tags", "team")].tolist() == [None, "risk"]


def test_a_comparison_shows_everything_when_it_is_asked_to(versions, any_workspace):
    table = registry.compare([("census", 1), versions[1].record], differences_only=False, workspace=any_workspace)
    assert table.loc[("params", "eta")].tolist() == ["0.1", "0.1"]
    assert math.isnan(table.loc[("metrics", "lost")].iloc[0])
    assert table.loc[("signature", "a")].tolist() == ["double (float64)"] * 2
    assert table.loc[("version", "format")].tolist() == ["skops", "skops"]
    assert "scikit-learn" in table.loc["libraries"].index
    assert table.loc[("files", "model.skops")].str.contains("sha256").all()


def test_a_comparison_is_of_several_versions_that_exist(versions, any_workspace):
    for wrong in ([], versions[:1], [versions[0], versions[0]]):
        with pytest.raises(InvalidArgumentError, match="2 to 100 different versions"):
            registry.compare(wrong, workspace=any_workspace)
    with pytest.raises(NotFoundError, match="no version 9"):
        registry.compare([("census", 1), ("census", 9)], workspace=any_workspace)
