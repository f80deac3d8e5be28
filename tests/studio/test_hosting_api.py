"""Endpoints over HTTP, with a real process that serves a real model."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from kernel_tools import hosting, jobs, registry
from kernel_tools.core.workspace import Workspace

RICH = {"age": 60.0, "hours": 50.0}


@pytest.fixture
def workspace(served: Workspace) -> Workspace:
    return served


async def test_endpoints_are_paged(call: Any) -> None:
    page = (await call("GET", "/endpoints", params={"limit": 1})).json
    assert [endpoint["name"] for endpoint in page["endpoints"]] == ["census"]
    assert page["endpoints"][0]["state"] == "InService"
    assert page["next_page_token"] is None


async def test_an_endpoint_comes_with_what_to_try_it_with(call: Any) -> None:
    detail = (await call("GET", "/endpoints/census")).json
    assert detail["endpoint"]["model"] == "census"
    assert [column["name"] for column in detail["signature"]["columns"]] == ["age", "hours"]
    assert set(detail["sample"][0]) == {"age", "hours"}
    assert isinstance(detail["log"], str)


async def test_the_sample_can_be_sent_as_it_is(call: Any) -> None:
    sample = (await call("GET", "/endpoints/census")).json["sample"]
    answer = await call("POST", "/endpoints/census/invocations", {"records": sample})
    assert len(answer.json["predictions"]) == len(sample)


async def test_an_endpoint_answers_with_probabilities_and_its_latency(call: Any) -> None:
    answer = (await call("POST", "/endpoints/census/invocations", {"records": [RICH]})).json
    assert answer["predictions"] == ["rich"]
    assert answer["classes"] == ["poor", "rich"]
    assert answer["probabilities"][0][1] > 0.5
    assert 0 < answer["latency_ms"] < 20_000


async def test_a_bad_row_is_422_and_names_the_column(call: Any) -> None:
    answer = await call("POST", "/endpoints/census/invocations", {"records": [RICH | {"age": "old"}]})
    assert answer.error == (422, "InvalidDataError")
    assert "age" in answer.message


async def test_no_rows_are_422(call: Any) -> None:
    assert (await call("POST", "/endpoints/census/invocations", {"records": []})).error == (422, "InvalidDataError")


async def test_run_version_and_endpoint_are_linked(call: Any) -> None:
    version = (await call("GET", "/models/census/versions/1")).json
    assert [endpoint["name"] for endpoint in version["endpoints"]] == ["census"]
    run = (await call("GET", f"/runs/{version['run']['id']}")).json
    assert [endpoint["name"] for endpoint in run["endpoints"]] == ["census"]
    assert (await call("GET", "/models/census/versions/2")).json["endpoints"] == []


async def test_home_counts_endpoints(call: Any) -> None:
    counts = (await call("GET", "/home")).json["counts"]
    assert (counts["endpoints"], counts["endpoints_in_service"]) == (1, 1)


async def test_an_endpoint_lives_from_deploy_to_delete(call: Any) -> None:
    slow = {"request_timeout": 90}
    deployed = await call("POST", "/endpoints", {"model": "census", "version": 2, "name": "second"}, **slow)
    assert (deployed.status, deployed.json["state"]) == (201, "InService")
    again = await call("POST", "/endpoints", {"model": "census", "version": 2, "name": "second"}, **slow)
    assert again.error == (409, "ConflictError")
    restarted = await call("POST", "/endpoints/second/restart", b"", **slow)
    assert (restarted.status, restarted.json["state"]) == (200, "InService")
    assert restarted.json["pid"] != deployed.json["pid"]
    assert (await call("DELETE", "/endpoints/second", **slow)).status == 204
    assert (await call("GET", "/endpoints/second")).error == (404, "NotFoundError")


async def test_deploying_what_is_not_there_is_404(call: Any) -> None:
    answer = await call("POST", "/endpoints", {"model": "none", "version": 1, "name": "none"})
    assert answer.error == (404, "NotFoundError")


async def test_a_name_that_is_no_name_is_400(call: Any) -> None:
    answer = await call("POST", "/endpoints", {"model": "census", "version": 1, "name": "../up"})
    assert answer.error == (400, "InvalidArgumentError")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/endpoints/gone", None),
        ("DELETE", "/endpoints/gone", None),
        ("POST", "/endpoints/gone/restart", b""),
        ("POST", "/endpoints/gone/invocations", {"records": [RICH]}),
    ],
)
async def test_an_endpoint_that_is_gone_is_404(call: Any, method: str, path: str, body: object) -> None:
    answer = await call(method, path, body)
    assert answer.error == (404, "NotFoundError")
    assert "gone" in answer.message


async def test_an_endpoint_whose_files_are_damaged_can_be_looked_at_and_deleted(
    call: Any, workspace: Workspace
) -> None:
    folder = workspace.root / "endpoints" / "damaged"
    folder.mkdir()
    (folder / "endpoint.json").write_text("{")
    detail = (await call("GET", "/endpoints/damaged")).json
    assert detail["endpoint"]["state"] == "Failed"
    assert (detail["sample"], detail["signature"]) == ([], None)
    assert (await call("DELETE", "/endpoints/damaged")).status == 204


async def test_a_model_of_arrays_is_asked_with_instances(call: Any, workspace: Workspace) -> None:
    points = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [6.0, 5.0]])
    model = LogisticRegression().fit(points, ["near", "near", "far", "far"])
    registry.register("points", model, sample_input=points, workspace=workspace)
    endpoint = hosting.deploy("points", version=1, name="points", workspace=workspace)
    try:
        answer = await call("POST", "/endpoints/points/invocations", {"instances": [[0, 0], [7, 7]]})
        assert answer.json["predictions"] == ["near", "far"]
    finally:
        endpoint.delete()


@pytest.mark.parametrize("body", [{}, {"records": [RICH], "instances": [[1.0, 2.0]]}])
async def test_rows_come_as_records_or_as_instances(call: Any, body: dict[str, Any]) -> None:
    answer = await call("POST", "/endpoints/census/invocations", body)
    assert answer.error == (422, "InvalidDataError")
    assert "records or instances" in answer.message


async def test_a_version_with_code_is_deployed_only_with_trust(call: Any, workspace: Workspace, tmp_path: Any) -> None:
    folder = tmp_path / "coded"
    folder.mkdir()
    (folder / "predict.py").write_text("def predict(rows):\n    return [7 for _ in rows]\n")
    registry.register_files("coded", folder, sample_input=np.array([[1.0]]), workspace=workspace)
    body = {"model": "coded", "version": 1, "name": "coded"}
    try:
        refused = await call("POST", "/endpoints", body)
        assert refused.error == (503, "UnavailableError")
        assert "trust" in refused.message
        await call("DELETE", "/endpoints/coded")
        assert (await call("POST", "/endpoints", body | {"trust": True})).json["state"] == "InService"
        deployed = next(r for r in workspace.audit.newest_first() if r.action == "endpoint.deploy")
        assert deployed.details == {"model": "coded", "version": 1, "trust": True}
        assert (await call("POST", "/endpoints/coded/invocations", {"instances": [[1.0]]})).json["predictions"] == [7]
    finally:
        hosting.get("coded", workspace=workspace).delete()


async def test_how_an_endpoint_runs_is_shown_and_changed(call: Any, workspace: Workspace) -> None:
    await call("POST", "/endpoints/census/invocations", {"records": [RICH]})
    shown = (await call("GET", "/endpoints/census/operation")).json
    (variant,) = shown["variants"]
    assert (variant["name"], variant["models"], variant["weight"]) == ("AllTraffic", ["census"], 1.0)
    assert set(shown["metrics"]) >= {"Invocations", "ModelLatencyP99", "InvocationModelErrors"}
    assert (await call("POST", "/endpoints/census/rollback", {})).error == (409, "ConflictError")
    assert (await call("POST", "/endpoints/census/scale", {"workers": 0})).error == (422, "InvalidDataError")
    assert (await call("POST", "/endpoints/none/scale", {"workers": 1})).error == (404, "NotFoundError")
    asked = {"kind": "sideways"}
    assert (await call("POST", "/endpoints/census/update", asked)).error == (422, "InvalidDataError")
    alarms = [{"metric": "eror_rate", "above": 0.1}]
    answer = await call("POST", "/endpoints/census/update", {"alarms": alarms})
    assert answer.error[0] == 400 and "error_rate" in answer.message


async def test_an_endpoint_is_shared_scaled_and_updated_over_http(call: Any) -> None:
    slow = {"request_timeout": 90}
    await call("POST", "/endpoints", {"model": "census", "version": 1, "name": "shared"}, **slow)
    try:
        asked = {"version": 2, "variant": "challenger", "weight": 1}
        begun = await call("POST", "/endpoints/shared/update", asked)
        assert begun.json["update"]["phase"] == "starting"
        assert (await call("POST", "/endpoints/shared/weights", {"weights": {"challenger": 1}})).error[0] == 409
        await _until_updated(call)
        shown = (await call("POST", "/endpoints/shared/weights", {"weights": {"challenger": 3}})).json
        assert [(item["name"], item["weight"]) for item in shown["variants"]] == [("AllTraffic", 1), ("challenger", 3)]
        assert shown["events"][0]["details"] == {"weights": {"AllTraffic": 1, "challenger": 3}}
        assert (await call("POST", "/endpoints/shared/weights", {"weights": {"none": 3}})).error[0] == 404
        assert (await call("POST", "/endpoints/shared/update", {"version": 1})).error[0] == 400
        scaled = (await call("POST", "/endpoints/shared/scale", {"max_workers": 2})).json
        assert scaled["scaling"]["max_workers"] == 2
        assert (await call("POST", "/endpoints/shared/scale", {})).error[0] == 400
        assert (await call("POST", "/endpoints/shared/scale", {"workers": 1})).json["scaling"] is None
        removed = await call("DELETE", "/endpoints/shared/variants/challenger")
        assert (removed.status, len(removed.json["variants"])) == (200, 1)
        await _until_updated(call)
        await call("POST", "/endpoints/shared/rollback", {})
        assert len((await _until_updated(call))["variants"]) == 2
    finally:
        await call("DELETE", "/endpoints/shared", **slow)


async def test_files_are_transformed_over_http(call: Any, workspace: Workspace, tmp_path: Any) -> None:
    assert (await call("GET", "/batch-transforms")).json == {"transforms": [], "next_page_token": None}
    path = tmp_path / "rows.csv"
    path.write_text("age,hours\n60,50\nold,50\n20,10\n")
    body = {"model": "census", "version": 1, "input": str(path), "output": str(tmp_path / "out")}
    begun = await call("POST", "/batch-transforms", body | {"on_error": "record"})
    assert begun.status == 201
    job = jobs.get(begun.json["job"], workspace=workspace)
    job.wait()
    (line,) = (await call("GET", "/batch-transforms")).json["transforms"]
    assert (line["state"], "max_failed_share" in job.logs()) == ("Failed", True)
    assert (line["model"], line["version"], line["inputs"]) == ("census", 1, [str(path)])
    path.unlink()
    assert (await call("POST", "/batch-transforms", body)).error == (404, "NotFoundError")
    assert (await call("POST", "/batch-transforms", body | {"on_error": "ignore"})).error[0] == 422


async def test_captures_and_queued_requests_are_read_over_http(call: Any, workspace: Workspace) -> None:
    assert (await call("GET", "/endpoints/census/captures")).json["sampling_percentage"] is None
    for token in ("x", "../up.jsonl:1"):
        answer = await call("GET", "/endpoints/census/captures", params={"page_token": token})
        assert answer.error[0] in (400, 404, 422)
    damaged = workspace.folder("captures", "census") / "AllTraffic" / "2026" / "11" / "23" / "10" / "torn.jsonl"
    damaged.parent.mkdir(parents=True)
    damaged.write_text('{"eventMetadata":')
    answer = await call("GET", "/endpoints/census/captures")
    assert answer.error[1] == "IntegrityError" and "torn.jsonl" in answer.message
    damaged.unlink()
    assert (await call("GET", "/endpoints/census/captures")).json["captures"] == []
    queued = await call("POST", "/endpoints/census/async-requests", {"records": [RICH]})
    assert (queued.status, queued.json["state"]) == (201, "Queued")
    hosting.get("census", workspace=workspace).async_request(queued.json["id"]).wait(60)
    newest = (await call("GET", "/endpoints/census/async-requests", params={"limit": 1})).json["requests"]
    assert [(request["id"], request["state"]) for request in newest] == [(queued.json["id"], "Completed")]
    assert (await call("POST", "/endpoints/census/async-requests", {})).error[0] == 422
    glances = (await call("POST", "/endpoint-glances", {"names": ["census", "none"]})).json["glances"]
    assert [glance["name"] for glance in glances] == ["census"]
    history = (await call("GET", "/endpoints/census/history", params={"seconds": 300})).json
    assert history["numbers"]["requests"] >= 0


async def test_the_log_of_an_endpoint_is_read_on_from_where_it_was_read_to(call: Any, workspace: Workspace) -> None:
    path = hosting.get("census", workspace=workspace).log_path
    with path.open("a") as file:
        file.write("The first line\nA needle, and more\n")
    page = (await call("GET", "/endpoints/census/log")).json
    assert page["lines"][-2:] == ["The first line", "A needle, and more"]
    with path.open("a") as file:
        file.write("The last line\n")
    query = {"offset": page["end"], "limit": 64}
    assert (await call("GET", "/endpoints/census/log", params=query)).json["lines"] == ["The last line"]
    behind = (await call("GET", "/endpoints/census/log", params={"offset": 2**53 - 1})).json
    assert (behind["lines"], behind["size"]) == ([], path.stat().st_size)
    found = (await call("GET", "/endpoints/census/log/search", params={"text": "NEEDLE"})).json
    assert found["offsets"] == [page["offsets"][-1]]
    assert (await call("GET", "/endpoints/census/log/download")).content == path.read_bytes()
    for verb in ("log", "log/download"):
        assert (await call("GET", f"/endpoints/none/{verb}")).error == (404, "NotFoundError")
    assert (await call("GET", "/endpoints/census/log", params={"offset": 1, "near": 1})).error[0] == 422


async def _until_updated(call: Any) -> dict[str, Any]:
    while True:
        shown: dict[str, Any] = (await call("GET", "/endpoints/shared/operation")).json
        if shown["update"]["is_over"]:
            assert shown["update"]["phase"] == "finished", shown["update"]["reason"]
            return shown
        await asyncio.sleep(0.05)
