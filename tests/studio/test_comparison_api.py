"""Runs side by side over HTTP, on a real workspace."""

from __future__ import annotations

from typing import Any

import pytest

from kernel_tools import experiments
from kernel_tools.core.figures import figure_json
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.capture.environment import PACKAGES_PATH
from kernel_tools.experiments.capture.source import CELL_PATH

GONE = "0" * 32
SPECS: list[dict[str, Any]] = [
    {"kind": "curves", "keys": ["auc"]},
    {"kind": "curves", "keys": ["auc", "only b"], "x": "relative", "smoothing": 0.5, "log_y": True, "log_x": True},
    {"kind": "parallel", "fields": ["params.depth", "metrics.auc"]},
    {"kind": "scatter", "x": "params.depth", "y": "metrics.auc", "color": "params.depth"},
    {"kind": "bars", "metric": "metrics.auc"},
    {"kind": "boxes", "metric": "metrics.auc", "by": "params.depth"},
]


@pytest.fixture
def runs(workspace: Workspace) -> list[experiments.Run]:
    """Three runs; the last one has no metric, and nobody knows its code."""
    made = []
    for name, depth in (("a", 3), ("b", 6), ("bare", 6)):
        with experiments.start_run("census", name, {"depth": depth, "eta": 1}, workspace=workspace) as run:
            if name != "bare":
                run.log_metrics({"auc": depth / 10}, step=0)
                run.log_metrics({"auc": float("nan") if name == "a" else 0.9}, step=1)
                run.log_text(f"depth = {depth}\n", CELL_PATH)
                run.log_text(f"# Python 3.11\nnumpy==2.{depth}\n", PACKAGES_PATH)
            if name == "b":
                run.log_metric("only b", 1.0)
        made.append(run)
    return made


def ids(runs: list[experiments.Run]) -> list[str]:
    return [run.id for run in runs]


async def test_runs_are_compared_row_by_row(call: Any, runs: list[experiments.Run]) -> None:
    answer = (await call("POST", "/runs-comparison", {"runs": ids(runs), "differences_only": True})).json
    assert [run["name"] for run in answer["runs"]] == ["a", "b", "bare"]
    rows = {(row["part"], row["name"]): row["values"] for row in answer["rows"]}
    assert rows == {
        ("params", "depth"): ["3", "6", "6"],
        ("metrics", "auc"): ["NaN", 0.9, None],
        ("metrics", "only b"): [None, 1.0, None],
    }
    whole = (await call("POST", "/runs-comparison", {"runs": ids(runs)})).json
    assert whole["row_count"] == len(whole["rows"]) > 3


async def test_runs_that_are_not_there_are_named(call: Any, runs: list[experiments.Run]) -> None:
    runs[1].delete()
    answer = (await call("POST", "/runs-comparison", {"runs": [*ids(runs), GONE, runs[0].id]})).json
    assert [run["name"] for run in answer["runs"]] == ["a", "bare"]
    assert answer["absent"] == [{"id": runs[1].id, "is_deleted": True}, {"id": GONE, "is_deleted": False}]


@pytest.mark.parametrize("count", [0, 21])
async def test_a_comparison_has_at_most_20_runs(call: Any, count: int) -> None:
    answer = await call("POST", "/runs-comparison", {"runs": [GONE] * count})
    assert answer.error == (422, "InvalidDataError")


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec["kind"])
async def test_the_code_of_a_figure_makes_the_same_figure(
    call: Any, runs: list[experiments.Run], workspace: Workspace, monkeypatch: pytest.MonkeyPatch, spec: dict[str, Any]
) -> None:
    reply = (await call("POST", "/runs-comparison/figures", {"runs": ids(runs), "figure": spec})).json
    monkeypatch.setenv("ATELIER_HOME", str(workspace.root))
    names: dict[str, Any] = {}
    exec(reply["code"], names)
    figure = figure_json(names["figure"])
    assert reply["figure"] == {"data": figure["data"], "layout": figure["layout"]}
    assert runs[2].id in reply["missing"]


async def test_many_long_curves_are_thinned_and_the_code_says_so(call: Any, workspace: Workspace) -> None:
    made = []
    for _ in range(20):
        with experiments.start_run("census", "long", workspace=workspace) as run:
            for key in ("a", "b"):
                for step in range(1500):
                    run.log_metric(key, float(step % 7), step=step)
        made.append(run)
    spec = {"kind": "curves", "keys": ["a", "b"]}
    reply = (await call("POST", "/runs-comparison/figures", {"runs": ids(made), "figure": spec})).json
    assert max(len(trace["x"]) for trace in reply["figure"]["data"]) <= 1000
    assert "max_points=1000" in reply["code"]


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({"kind": "pie"}, 422),
        ({"kind": "curves", "keys": []}, 422),
        ({"kind": "curves", "keys": ["auc"], "smoothing": 1}, 422),
        ({"kind": "curves", "keys": ["auc"], "x": "epoch"}, 422),
        ({"kind": "bars", "metric": "auc"}, 400),
        ({"kind": "bars", "metric": "tags.a > 1"}, 400),
        ({"kind": "scatter", "x": "dataset.name", "y": "metrics.auc"}, 400),
    ],
)
async def test_a_figure_that_cannot_be_is_refused(
    call: Any, runs: list[experiments.Run], spec: dict[str, Any], status: int
) -> None:
    answer = await call("POST", "/runs-comparison/figures", {"runs": ids(runs), "figure": spec})
    assert answer.status == status


async def test_code_environment_and_files_are_compared(call: Any, runs: list[experiments.Run]) -> None:
    first, second, bare = ids(runs)
    code = (await call("POST", "/runs-comparison/code", {"first": first, "second": second})).json
    assert code["files"][0]["lines"][-2:] == ["-depth = 3", "+depth = 6"]
    none = (await call("POST", "/runs-comparison/code", {"first": bare, "second": bare})).json
    assert (none["files"], none["uncaptured"]) == ([], [bare, bare])
    environment = (await call("POST", "/runs-comparison/environment", {"runs": ids(runs)})).json
    assert environment["uncaptured"] == [bare]
    assert [row["name"] for row in environment["rows"] if row["is_different"]] == ["numpy"]
    artifacts = (await call("POST", "/runs-comparison/artifacts", {"runs": ids(runs)})).json
    assert artifacts["count"] == 2
    assert [file is None for file in artifacts["artifacts"][0]["files"]] == [False, False, True]
    body = {"first": first, "second": second, "path": PACKAGES_PATH}
    assert (await call("POST", "/runs-comparison/files", body)).json["lines"][-1] == "+numpy==2.6"


async def test_a_file_that_is_no_text_is_only_said_to_differ(call: Any, workspace: Workspace) -> None:
    made = []
    for content in (b"\x00\x01", b"\x00\x02"):
        with experiments.start_run("census", workspace=workspace) as run:
            run.log_bytes(content, "model.bin")
        made.append(run.id)
    body = {"first": made[0], "second": made[1], "path": "model.bin"}
    file = (await call("POST", "/runs-comparison/files", body)).json
    assert (file["is_different"], file["lines"], file["note"]) == (True, [], "not a text")


@pytest.mark.parametrize("path", ["figures", "environment", "artifacts"])
async def test_an_unknown_run_is_404(call: Any, path: str) -> None:
    body: dict[str, Any] = {"runs": [GONE]}
    if path == "figures":
        body["figure"] = SPECS[0]
    answer = await call("POST", f"/runs-comparison/{path}", body)
    assert answer.error == (404, "NotFoundError")
    assert GONE in answer.message


async def test_the_figure_of_one_run_has_axes_and_code_too(
    call: Any, runs: list[experiments.Run], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = {"key": "auc", "x": "relative", "smoothing": "0.5", "log_y": "true"}
    reply = (await call("GET", f"/runs/{runs[1].id}/figures/metrics", params=query)).json
    assert reply["figure"]["layout"]["yaxis"]["type"] == "log"
    monkeypatch.setenv("ATELIER_HOME", str(workspace.root))
    names: dict[str, Any] = {}
    exec(reply["code"], names)
    assert figure_json(names["figure"])["data"] == reply["figure"]["data"]
