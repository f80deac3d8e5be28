"""The table of runs over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from kernel_tools import experiments
from kernel_tools.core.workspace import Workspace


@pytest.fixture
def ids(workspace: Workspace) -> list[str]:
    """Three runs."""
    found = []
    for number in range(3):
        with experiments.start_run("census", name=f"run {number}", params={"depth": 6}, workspace=workspace) as run:
            run.log_metric("auc", number / 10)
        found.append(run.id)
    return found


async def test_a_window_is_read_by_position(call: Any, ids: list[str]) -> None:
    body = {"experiment": ["census"], "order_by": ["metrics.auc DESC"], "offset": 1, "limit": 1, "find": ids}
    window = (await call("POST", "/runs/window", body)).json
    assert ([row["id"] for row in window["rows"]], window["total"]) == ([ids[1]], 3)
    assert window["positions"] == {ids[2]: 0, ids[1]: 1, ids[0]: 2}
    again = (await call("POST", "/runs/window", {**body, "order": window["order"], "columns": ["params.depth"]})).json
    assert again["order"] == window["order"]
    assert (again["rows"][0]["params"], again["rows"][0]["metrics"]) == ({"depth": "6"}, {})


@pytest.mark.parametrize("wrong", [{"limit": 501}, {"offset": -1}, {"offset": 10_000_001}, {"find": ["x"] * 201}])
async def test_a_window_is_bounded(call: Any, wrong: dict[str, Any]) -> None:
    assert (await call("POST", "/runs/window", wrong)).error == (422, "InvalidDataError")


async def test_the_fault_of_a_filter_has_a_position(call: Any) -> None:
    answer = await call("POST", "/runs/window", {"filter": "name = 'position 3: ' and >"})
    assert answer.error == (400, "InvalidArgumentError")
    assert answer.json["error"]["position"] == 27


async def test_other_errors_have_no_position(call: Any) -> None:
    assert (await call("GET", "/runs/none")).json["error"]["position"] is None


async def test_groups_fields_and_best_values_are_told(call: Any, ids: list[str]) -> None:
    groups = (await call("POST", "/runs/groups", {"by": "params.depth", "metrics": ["auc"]})).json
    assert (groups["total"], groups["run_count"], groups["groups"][0]["count"]) == (1, 3, 3)
    assert groups["groups"][0]["metrics"]["auc"]["best_run_id"] == ids[2]
    fields = (await call("GET", "/runs/fields", params={"experiment": "census"})).json
    assert [(field["key"], field["samples"]) for field in fields["params"]] == [("depth", ["6"])]
    best = (await call("POST", "/runs/best", {"highest": ["auc", "none"], "filter": "metrics.auc < 0.2"})).json
    assert best == {"values": {"auc": 0.1}}


async def test_many_runs_are_changed_and_failures_named(call: Any, ids: list[str], workspace: Workspace) -> None:
    body = {"run_ids": [*ids, "f" * 32, "../x"], "change": "set_tags", "tags": {"team": "red"}}
    done = (await call("POST", "/runs/changes", body)).json
    assert (done["changed"], set(done["failures"])) == (3, {"f" * 32, "../x"})
    assert experiments.count_matching_runs(filter="tags.team = 'red'", workspace=workspace) == 3


async def test_views_are_kept_per_experiment(call: Any, ids: list[str]) -> None:
    settings = {"filter": "metrics.auc > 0", "columns": [{"id": "metrics.auc", "width": 90}], "goals": {"auc": "min"}}
    body = {"name": "mine", "experiment": "census", "settings": settings, "is_default": True}
    saved = (await call("PUT", "/runs/views", body)).json
    assert (saved["settings"]["filter"], saved["is_default"]) == ("metrics.auc > 0", True)
    assert (await call("GET", "/runs/views")).json == {"views": []}
    assert (await call("GET", "/runs/views", params={"experiment": "census"})).json["views"] == [saved]
    assert (await call("GET", "/runs/views", params={"experiment": "none"})).status == 404
    query = {"experiment": "census", "name": "mine"}
    assert (await call("DELETE", "/runs/views", params=query)).status == 204
    assert (await call("DELETE", "/runs/views", params=query)).error == (404, "NotFoundError")
