"""The Debugger over HTTP: the rule board, figures, tensors, what is told live."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from kernel_tools import experiments
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger.finding import write_findings
from kernel_tools.debugger.records import TICK
from kernel_tools.debugger.session import debugger_folder
from kernel_tools.debugger.store import StoreWriter, store_path
from kernel_tools.experiments.run import Run
from scripts.recorded_profile import SAMPLES, write_machine, write_trace
from scripts.recorded_run import STEPS, recorded_findings, write_capture, write_recorded_run
from studio_ext.captures import KEPT


def start(workspace: Workspace, name: str = "watched") -> Run:
    return experiments.start_run("vision", name=name, workspace=workspace)


@pytest.fixture
def run(workspace: Workspace) -> Run:
    run = start(workspace)
    write_recorded_run(debugger_folder(workspace, run.id))
    return run


async def test_the_rule_board_tells_rules_findings_and_the_capture(call: Any, run: Run) -> None:
    answer = await call("GET", f"/runs/{run.id}/debugger")
    board = answer.json
    states = {rule["rule"]: rule["state"] for rule in board["rules"]}
    assert states["DeadRelu"] == "firing" and states["OwnRule"] == "failed"
    assert [found["id"] for found in board["findings"]] == [
        "WeightUpdateRatio:fc1.weight",
        "DeadRelu:conv2.relu.output_0",
        "Confusion",
    ]
    assert board["findings"][0]["finding"]["advice"][0]["patch"].startswith("for group")
    assert board["capture"]["model"] == "SmallCNN"
    assert board["capture"]["last_step"] == STEPS - 1
    assert board["capture"]["is_over"]
    assert board["capture"]["confusion_steps"]["EVAL"][-1] == 350
    assert {"loss", "gradient_flow", "update_ratios", "dead_units", "confusion"} <= set(board["capture"]["figures"])


async def test_a_run_that_was_not_watched_has_no_capture(call: Any, workspace: Workspace) -> None:
    board = (await call("GET", f"/runs/{start(workspace).id}/debugger")).json
    assert board["capture"] is None and board["rules"] == [] and board["findings"] == []


async def test_every_figure_that_is_offered_can_be_drawn(call: Any, run: Run) -> None:
    path = f"/runs/{run.id}/debugger"
    for figure in (await call("GET", path)).json["capture"]["figures"]:
        arguments = {"tensor": "fc1.weight"} if figure == "distribution" else {}
        answer = await call("POST", f"{path}/figures", {"figure": figure, "arguments": arguments})
        assert answer.status == 200, answer.message
        assert answer.json["figure"]["data"]


async def test_the_code_of_a_figure_draws_it(
    call: Any, run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = start(workspace, "other")
    write_capture(debugger_folder(workspace, other.id), seed=1)
    body = {"figure": "compare_tensors", "arguments": {"tensor": "fc1.bias", "reduction": "std"}, "other": other.id}
    answer = await call("POST", f"/runs/{run.id}/debugger/figures", body)
    assert [trace["name"] for trace in answer.json["figure"]["data"]] == ["watched", "other"]
    monkeypatch.setenv("ATELIER_HOME", str(workspace.root))
    names: dict[str, Any] = {}
    exec(answer.json["code"], names)
    assert len(names["figure"].data) == 2


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"figure": "pie"}, (400, "InvalidArgumentError")),
        ({"figure": "loss", "arguments": {"tensor": "w"}}, (400, "InvalidArgumentError")),
        ({"figure": "series", "arguments": {"tensors": ["fc1.weight"], "mode": "NO"}}, (400, "InvalidArgumentError")),
        ({"figure": "series", "arguments": {"tensors": ["fc1.wait"]}}, (404, "NotFoundError")),
        (
            {"figure": "series", "arguments": {"tensors": ["fc1.weight"], "reduction": "x"}},
            (400, "InvalidArgumentError"),
        ),
        ({"figure": "loss", "arguments": {"step": "3"}}, (422, "InvalidDataError")),
        ({"figure": "compare_tensors", "arguments": {"tensor": "w"}, "other": "0" * 32}, (404, "NotFoundError")),
    ],
)
async def test_a_figure_that_cannot_be_drawn_is_explained(
    call: Any, run: Run, body: dict[str, Any], error: tuple[int, str]
) -> None:
    assert (await call("POST", f"/runs/{run.id}/debugger/figures", body)).error == error


async def test_tensors_are_searched_and_paged(call: Any, run: Run) -> None:
    path = f"/runs/{run.id}/debugger/tensors"
    first = (await call("GET", path, params={"search": "GRADIENT", "limit": 3})).json
    assert first["tensor_count"] == 8 and len(first["tensors"]) == 3
    assert first["tensors"][0]["name"] == "gradient/conv1.weight"
    rest = (await call("GET", path, params={"search": "GRADIENT", "page_token": first["next_page_token"]})).json
    assert len(rest["tensors"]) == 5 and rest["next_page_token"] is None
    weights = (await call("GET", path, params={"collection": "weights"})).json
    assert weights["tensor_count"] == 4 and weights["tensors"][0]["last_step"] == 390
    (rate,) = (await call("GET", path, params={"search": "learning"})).json["tensors"]
    assert rate["is_scalar"] and rate["mean"] == 0.05


async def test_a_tensor_is_shown_at_the_nearest_step(call: Any, run: Run) -> None:
    path = f"/runs/{run.id}/debugger/tensor"
    detail = (await call("GET", path, params={"name": "fc1.weight", "step": 118})).json
    assert detail["step"] == 120 and detail["modes"] == ["TRAIN"]
    assert {"mean", "q50", "abs_max"} <= detail["statistics"].keys()
    assert "dead" not in detail["statistics"]
    confusion = (await call("GET", path, params={"name": "confusion", "mode": "EVAL"})).json
    assert confusion["saved_steps"][:2] == [0, 50] and confusion["step"] is None
    missing = await call("GET", path, params={"name": "fc9.weight"})
    assert missing.status == 404 and "Did you mean" in missing.message
    assert (await call("GET", path, params={"name": "fc1.weight", "mode": "NO"})).status == 400


async def test_other_watched_runs_are_named(call: Any, run: Run, workspace: Workspace) -> None:
    other = start(workspace, "other")
    write_capture(debugger_folder(workspace, other.id), seed=1)
    start(workspace, "not watched")
    runs = (await call("GET", f"/runs/{run.id}/debugger/others")).json["runs"]
    assert [item["name"] for item in runs] == ["other"]


async def test_a_file_that_is_no_capture_is_named(call: Any, workspace: Workspace) -> None:
    run = start(workspace)
    folder = debugger_folder(workspace, run.id)
    folder.mkdir()
    (folder / "rank-0.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    answer = await call("GET", f"/runs/{run.id}/debugger")
    assert answer.status < 500 and "rank-0.db" in answer.message


async def test_home_names_runs_in_which_something_was_found(call: Any, run: Run, workspace: Workspace) -> None:
    broken = start(workspace, "broken")
    debugger_folder(workspace, broken.id).mkdir()
    (debugger_folder(workspace, broken.id) / "findings.json").write_text("{")
    (firing,) = (await call("GET", "/home")).json["firing_runs"]
    assert firing["run"]["id"] == run.id
    assert (firing["rule"], firing["severity"], firing["finding_count"]) == ("WeightUpdateRatio", "error", 2)


async def test_the_profile_tells_phases_samples_and_the_trace(call: Any, run: Run, workspace: Workspace) -> None:
    folder = debugger_folder(workspace, run.id)
    write_machine(folder)
    write_trace(folder)
    profile = (await call("GET", f"/runs/{run.id}/profiler")).json
    assert profile["step_count"] > STEPS and profile["sample_count"] == SAMPLES - 1
    assert profile["phases"][0]["phase"] == "backward"
    assert profile["operators"][0]["name"] == "aten::convolution_backward"
    assert {row["name"] for row in profile["modules"]} == {"conv1", "conv2", "fc1", "fc2"}
    for figure in profile["figures"]:
        answer = await call("POST", f"/runs/{run.id}/debugger/figures", {"figure": figure})
        assert answer.status == 200 and answer.json["figure"]["data"], figure
    assert (await call("GET", f"/runs/{start(workspace).id}/profiler")).json["figures"] == []


async def test_a_view_is_told_of_findings_and_steps(jp_ws_fetch: Any, workspace: Workspace) -> None:
    run = start(workspace)
    folder = debugger_folder(workspace, run.id)
    socket = await jp_ws_fetch("studio/api/live/debugger")
    socket.write_message(json.dumps({"run_id": run.id}))

    async def read() -> dict[str, Any]:
        return json.loads(await socket.read_message())

    await read()
    write_capture(folder, is_closed=False)
    while not (message := await read())["has_steps"]:
        pass
    assert not message["has_findings"]
    write_findings(folder, recorded_findings())
    while not (message := await read())["has_findings"]:
        pass
    socket.close()


async def test_what_was_captured_since_the_last_request_is_read(call: Any, workspace: Workspace) -> None:
    run = start(workspace)
    folder = debugger_folder(workspace, run.id)
    write_capture(folder)
    path = f"/runs/{run.id}/debugger"
    assert (await call("GET", path)).json["capture"]["last_step"] == STEPS - 1
    writer = StoreWriter(store_path(folder, 0), framework="pytorch", max_disk=1 << 28)
    tick = np.zeros((1, len(TICK)))
    tick[0, :2] = STEPS, 1
    writer.write_ticks(tick)
    writer.close()
    assert (await call("GET", path)).json["capture"]["last_step"] == STEPS
    store_path(folder, 0).unlink()
    write_capture(folder)
    assert (await call("GET", path)).json["capture"]["last_step"] == STEPS - 1


async def test_more_runs_are_read_than_are_kept_open(call: Any, workspace: Workspace) -> None:
    runs = [start(workspace, f"run {number}") for number in range(KEPT + 2)]
    for run in runs:
        write_capture(debugger_folder(workspace, run.id))
    answers = await asyncio.gather(*(call("GET", f"/runs/{run.id}/debugger") for run in [*runs, *runs]))
    assert {answer.status for answer in answers} == {200}


async def test_notices_of_findings_are_told_by_their_time(call: Any, run: Run) -> None:
    from kernel_tools.debugger.finding import Finding, Severity
    from kernel_tools.debugger.notices import add_notice

    path = "/debugger/-/notices"
    assert (await call("GET", path, params={"since": 2**53})).json["notices"] == []
    add_notice(run, Finding("NaNLoss", Severity.ERROR, 7, "The loss is not a number."))
    told = (await call("GET", path, params={"since": 0})).json
    assert [(notice["run_id"], notice["rule"]) for notice in told["notices"]] == [(run.id, "NaNLoss")]
    assert (await call("GET", path, params={"since": told["notices"][0]["at"]})).json["notices"] == []


async def test_the_profilers_report_comes_as_a_file_that_no_browser_runs_here(call: Any, run: Run) -> None:
    write_machine(debugger_folder(run._workspace, run.id))
    reply = await call("GET", f"/runs/{run.id}/profiler/report")
    assert reply.status == 200 and b"Where the time went" in reply.content
    assert "attachment" in reply.headers["Content-Disposition"]
    assert "sandbox" in reply.headers["Content-Security-Policy"]


async def test_a_report_of_a_run_that_was_not_watched_says_how_to_watch(call: Any, workspace: Workspace) -> None:
    reply = await call("GET", f"/runs/{start(workspace).id}/profiler/report")
    assert reply.status == 404 and "kernel_tools.debugger.watch" in reply.json["error"]["message"]
