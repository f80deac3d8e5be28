"""The paths of the protocol without a client: they all exist, under both prefixes, and answer MLflow's errors."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

PATHS = """
POST experiments/create
POST experiments/delete
POST experiments/delete-experiment-tag
GET experiments/get
GET experiments/get-by-name
POST experiments/restore
GET experiments/search
POST experiments/search
POST experiments/set-experiment-tag
POST experiments/update
POST runs/create
POST runs/delete
POST runs/delete-tag
GET runs/get
POST runs/log-batch
POST runs/log-inputs
POST runs/log-metric
POST runs/log-model
POST runs/log-parameter
POST runs/outputs
POST runs/restore
POST runs/search
POST runs/set-tag
POST runs/update
GET metrics/get-history
GET metrics/get-history-bulk-interval
GET artifacts/list
POST artifacts/presigned-download-url
POST artifacts/presigned-upload-url
DELETE registered-models/alias
GET registered-models/alias
POST registered-models/alias
POST registered-models/create
DELETE registered-models/delete
DELETE registered-models/delete-tag
GET registered-models/get
GET registered-models/get-latest-versions
POST registered-models/get-latest-versions
POST registered-models/rename
GET registered-models/search
POST registered-models/set-tag
PATCH registered-models/update
POST model-versions/create
DELETE model-versions/delete
DELETE model-versions/delete-tag
GET model-versions/get
GET model-versions/get-download-uri
GET model-versions/search
POST model-versions/set-tag
POST model-versions/transition-stage
PATCH model-versions/update
POST logged-models
GET logged-models/m-1
PATCH logged-models/m-1
DELETE logged-models/m-1
GET logged-models/m-1/artifacts/directories
POST logged-models/m-1/params
PATCH logged-models/m-1/tags
DELETE logged-models/m-1/tags/key
POST logged-models/search
"""
ENDPOINTS = [tuple(line.split()) for line in PATHS.split("\n") if line]
PREFIXES = ["/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"]
PROXY = "/api/2.0/mlflow-artifacts/"
UNKNOWN_RUN = "0" * 32

# Requests that name nothing that exists, and what MLflow answers to each.
MISSING = "RESOURCE_DOES_NOT_EXIST"
INVALID = "INVALID_PARAMETER_VALUE"


def test_these_are_the_sixty_paths_of_the_protocol() -> None:
    assert len(set(ENDPOINTS)) == 60


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(("method", "path"), ENDPOINTS, ids=[" ".join(endpoint) for endpoint in ENDPOINTS])
def test_a_path_exists_and_refuses_an_empty_request(rest: Any, method: str, path: str, prefix: str) -> None:
    answer = rest.api(method, path, prefix=prefix)
    if answer.status != 200:
        assert answer.json["error_code"] in (MISSING, INVALID), answer.content
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json is not None


@pytest.mark.parametrize(("method", "path"), ENDPOINTS, ids=[" ".join(endpoint) for endpoint in ENDPOINTS])
def test_a_path_refuses_a_caller_without_the_token(rest: Any, method: str, path: str) -> None:
    for token in ("", "Bearer wrong"):
        answer = rest.call(method, PREFIXES[0] + path, {}, headers={"Authorization": token})
        assert answer.error == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("method", "path", "request_", "code"),
    [
        ("GET", "experiments/get", {"experiment_id": "999999"}, MISSING),
        ("GET", "experiments/get-by-name", {"experiment_name": "none"}, MISSING),
        ("POST", "experiments/delete", {"experiment_id": "999999"}, MISSING),
        ("POST", "experiments/restore", {"experiment_id": "999999"}, MISSING),
        ("POST", "experiments/update", {"experiment_id": "999999", "new_name": "x"}, MISSING),
        ("POST", "experiments/set-experiment-tag", {"experiment_id": "999999", "key": "a", "value": "b"}, MISSING),
        ("POST", "experiments/delete-experiment-tag", {"experiment_id": "999999", "key": "a"}, MISSING),
        ("GET", "experiments/search", {"max_results": "0"}, INVALID),
        ("POST", "runs/create", {"experiment_id": "999999"}, MISSING),
        ("GET", "runs/get", {"run_id": UNKNOWN_RUN}, MISSING),
        ("GET", "runs/get", {"run_uuid": UNKNOWN_RUN}, MISSING),
        ("POST", "runs/update", {"run_id": UNKNOWN_RUN, "status": "FINISHED"}, MISSING),
        ("POST", "runs/delete", {"run_id": UNKNOWN_RUN}, MISSING),
        ("POST", "runs/restore", {"run_id": UNKNOWN_RUN}, MISSING),
        ("POST", "runs/set-tag", {"run_id": UNKNOWN_RUN, "key": "a", "value": "b"}, MISSING),
        ("POST", "runs/delete-tag", {"run_id": UNKNOWN_RUN, "key": "a"}, MISSING),
        ("POST", "runs/log-batch", {"run_id": UNKNOWN_RUN}, MISSING),
        ("POST", "runs/log-inputs", {"run_id": UNKNOWN_RUN, "datasets": []}, MISSING),
        ("POST", "runs/outputs", {"run_id": UNKNOWN_RUN, "models": []}, MISSING),
        ("POST", "runs/log-parameter", {"run_id": UNKNOWN_RUN, "key": "a", "value": "b"}, MISSING),
        ("POST", "runs/log-metric", {"run_id": UNKNOWN_RUN, "key": "a", "value": 1, "timestamp": 1}, MISSING),
        ("GET", "metrics/get-history", {"run_id": UNKNOWN_RUN, "metric_key": "a"}, MISSING),
        ("GET", "metrics/get-history-bulk-interval", {"run_ids": UNKNOWN_RUN, "metric_key": "a"}, MISSING),
        ("GET", "artifacts/list", {"run_id": UNKNOWN_RUN}, MISSING),
        ("POST", "artifacts/presigned-upload-url", {"run_id": UNKNOWN_RUN, "path": "a"}, INVALID),
        ("POST", "artifacts/presigned-download-url", {"run_id": UNKNOWN_RUN, "path": "a"}, MISSING),
        ("GET", "registered-models/alias", {"name": "none", "alias": "a"}, MISSING),
        ("DELETE", "registered-models/delete", {"name": "none"}, MISSING),
        ("GET", "registered-models/search", {"max_results": "1001"}, INVALID),
        ("GET", "model-versions/search", {"max_results": "200001"}, INVALID),
        ("GET", "model-versions/get-download-uri", {"name": "none", "version": "1"}, MISSING),
        ("POST", "logged-models/search", {"experiment_ids": ["1"], "datasets": [{}]}, INVALID),
        ("GET", "logged-models/m-1", None, MISSING),
        ("PATCH", "logged-models/m-1", {"status": 2}, MISSING),
        ("DELETE", "logged-models/m-1/tags/a", None, MISSING),
    ],
)
def test_a_request_for_what_is_not_there(rest: Any, method: str, path: str, request_: Any, code: str) -> None:
    answer = rest.api(method, path, request_)
    assert answer.error == ({MISSING: 404, INVALID: 400}[code], code)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"run_id": 31, "key": "a", "value": 1, "timestamp": 1}, "Invalid value 31 for parameter 'run_id' supplied"),
        ({"run_id": "r", "key": 31, "value": 1, "timestamp": 1}, "Invalid value 31 for parameter 'key' supplied"),
        (
            {"run_id": "r", "key": "a", "value": "foo", "timestamp": 1},
            "Invalid value \"foo\" for parameter 'value' supplied",
        ),
        (
            {"run_id": "r", "key": "a", "value": 1, "timestamp": "foo"},
            "Invalid value \"foo\" for parameter 'timestamp' supplied",
        ),
        (
            {"run_id": "r", "key": "a", "value": 1, "timestamp": 1, "step": "foo"},
            "Invalid value \"foo\" for parameter 'step' supplied",
        ),
        ({"run_id": "r", "value": 1, "timestamp": 1}, "Missing value for required parameter 'key'"),
        ({"run_id": "r", "key": "a", "timestamp": 1}, "Missing value for required parameter 'value'"),
        ({"run_id": "r", "key": "a", "value": 1}, "Missing value for required parameter 'timestamp'"),
        ({"key": "a", "value": 1, "timestamp": 1}, "Missing value for required parameter 'run_id'"),
        ({"run_id": "r", "runId": "r", "key": "a", "value": 1, "timestamp": 1}, "both 'run_id' and 'runId'"),
        (["not", "an", "object"], "not a JSON object"),
        (b"{", "not JSON"),
    ],
)
def test_a_request_that_does_not_fit_says_what_is_wrong(rest: Any, request_: Any, message: str) -> None:
    answer = rest.api("POST", "runs/log-metric", request_)
    assert answer.error == (400, INVALID)
    assert message in answer.json["message"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"metrics": "foo"}, "Invalid value \"foo\" for parameter 'metrics' supplied"),
        ({"params": 5}, "Invalid value 5 for parameter 'params' supplied"),
        ({"tags": {}}, "Invalid value {} for parameter 'tags' supplied"),
        ({"metrics": [{"value": 1, "timestamp": 1}]}, "Missing value for required parameter 'metrics[0].key'"),
        ({"metrics": [{"key": "a", "timestamp": 1}]}, "Missing value for required parameter 'metrics[0].value'"),
        ({"metrics": [{"key": "a", "value": 1}]}, "Missing value for required parameter 'metrics[0].timestamp'"),
        ({"params": [{"value": "a"}]}, "Missing value for required parameter 'params[0].key'"),
        ({"tags": [{"value": "a"}]}, "Missing value for required parameter 'tags[0].key'"),
        ({"metrics": [{"key": "a", "value": 1, "timestamp": -1}]}, "Timestamp must be a nonnegative long"),
        ({"metrics": [{"key": "a", "value": 1, "timestamp": 2**63}]}, "out of range"),
    ],
)
def test_a_batch_that_does_not_fit_says_what_is_wrong(rest: Any, request_: Any, message: str) -> None:
    answer = rest.api("POST", "runs/log-batch", {"run_id": UNKNOWN_RUN, **request_})
    assert answer.error == (400, INVALID)
    assert message in answer.json["message"]


def test_only_json_is_read(rest: Any) -> None:
    answer = rest.call("POST", PREFIXES[0] + "runs/search", b"{}", headers={"Content-Type": "text/plain"})
    assert answer.error == (400, INVALID)
    assert "Content-Type must be one of" in answer.json["message"]


def test_an_unknown_path_and_verb_are_told(rest: Any) -> None:
    for path in ("/api/2.0/mlflow/nothing", "/nothing", "/api/2.0/other", ""):
        assert rest.call("GET", path).error == (404, "ENDPOINT_NOT_FOUND"), path
    answer = rest.call("DELETE", PREFIXES[0] + "runs/create")
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"


def test_health_version_and_abilities_are_told(rest: Any) -> None:
    health, version = rest.call("GET", "/health"), rest.call("GET", "/version")
    assert (health.content, version.content) == (b"OK", b"3.17.2")
    assert rest.call("GET", "/api/3.0/mlflow/server-info").json["multipart_uploads_enabled"] is False


def test_numbers_may_be_strings_and_names_in_camel_case(rest: Any) -> None:
    experiment_id = rest.ok("POST", "experiments/create", {"name": f"strings {uuid.uuid4().hex}"})["experiment_id"]
    run = rest.ok("POST", "runs/create", {"experimentId": experiment_id, "startTime": "12"})["run"]
    run_id = run["info"]["run_id"]
    assert run["info"]["start_time"] == 12
    rest.ok("POST", "runs/log-metric", {"run_uuid": run_id, "key": "m", "value": "NaN", "timestamp": "5", "step": "-3"})
    bare = b'{"run_id": "%s", "key": "i", "value": Infinity, "timestamp": 1}' % run_id.encode()
    rest.ok("POST", "runs/log-metric", bare)
    found = rest.ok("GET", "runs/get", {"run_id": run_id})["run"]["data"]["metrics"]
    assert found == [
        {"key": "i", "value": "Infinity", "timestamp": 1, "step": 0},
        {"key": "m", "value": "NaN", "timestamp": 5, "step": -3},
    ]


def test_histories_of_many_runs_are_read_at_once(rest: Any) -> None:
    run_ids = []
    for _ in range(2):
        run_id = rest.ok("POST", "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        metrics = [{"key": "m", "value": step, "timestamp": step, "step": step} for step in range(1000)]
        rest.ok("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})
        run_ids.append(run_id)
    path = "metrics/get-history-bulk-interval"
    found = rest.ok("GET", path, {"run_ids": run_ids, "metric_key": "m", "max_results": 10})["metrics"]
    steps = [[point["step"] for point in found if point["run_id"] == run_id] for run_id in run_ids]
    assert steps == [[0, 100, 200, 300, 400, 500, 600, 700, 800, 999]] * 2
    window = {"run_ids": run_ids[:1], "metric_key": "m", "start_step": 10, "end_step": 19}
    assert [point["step"] for point in rest.ok("GET", path, window)["metrics"]] == list(range(10, 20))
    assert rest.ok("GET", path, {"run_ids": run_ids, "metric_key": "none"}) == {}
    for bad in ({"start_step": 5}, {"start_step": 5, "end_step": 1}, {"max_results": 2501}, {"max_results": 0}):
        assert rest.api("GET", path, {"run_ids": run_ids, "metric_key": "m", **bad}).error == (400, INVALID)
    assert rest.api("GET", path, {"run_ids": ["a"] * 101, "metric_key": "m"}).error == (400, INVALID)
    bulk = {"run_id": run_ids, "metric_key": "m", "max_results": 1500}
    answer = rest.api("GET", "metrics/get-history-bulk", bulk, prefix=PREFIXES[1])
    assert [point["run_id"] for point in answer.json["metrics"]] == sorted(run_ids)[:1] * 1000 + sorted(run_ids)[
        1:
    ] * 500


def test_bytes_go_up_and_come_down(rest: Any) -> None:
    run = rest.ok("POST", "runs/create", {"experiment_id": "0"})["run"]["info"]
    folder = f"{PROXY}artifacts/0/{run['run_id']}/artifacts"
    assert rest.call("PUT", f"{folder}/a/b%20c.txt", b"content", headers={"Content-Type": "text/plain"}).json == {}
    down = rest.call("GET", f"{folder}/a/b%20c.txt")
    assert (down.status, down.content) == (200, b"content")
    assert down.headers["Content-Disposition"].startswith("attachment")
    assert down.headers["X-Content-Type-Options"] == "nosniff"
    listed = rest.call("GET", f"{PROXY}artifacts", params={"path": f"0/{run['run_id']}/artifacts/a"}).json
    assert listed == {"files": [{"path": "b c.txt", "is_dir": False, "file_size": 7}]}
    assert rest.call("DELETE", f"{folder}/a").json == {}
    assert rest.call("GET", f"{folder}/a/b%20c.txt").error == (404, MISSING)
    assert rest.ok("GET", "artifacts/list", {"run_id": run["run_id"]}) == {"root_uri": run["artifact_uri"]}


@pytest.mark.parametrize(
    "path",
    ["0/%2e%2e/%2e%2e/etc", "%2Fetc%2Fpasswd", "0/a/artifacts/%252e%252e/b", "0/a/artifacts/b%5Cc"],
)
def test_bytes_go_nowhere_else(rest: Any, path: str) -> None:
    answer = rest.call("PUT", f"{PROXY}artifacts/{path}", b"content")
    assert answer.error == (400, INVALID)


def test_an_upload_is_refused_before_its_bytes_come(rest: Any) -> None:
    url = f"{rest.server.tracking_uri}{PROXY}artifacts/0/{UNKNOWN_RUN}/artifacts/a"
    response = httpx.put(url, content=b"x" * 100_000, headers={"Authorization": "Bearer wrong"})
    assert (response.status_code, response.json()["error_code"]) == (401, "UNAUTHENTICATED")
    assert not list(rest.server.workspace.root.glob(".upload-*"))


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "mpu/create/a"), ("POST", "mpu/complete/a"), ("POST", "mpu/abort/a"), ("GET", "presigned/a")],
)
def test_uploads_in_parts_are_not_there(rest: Any, method: str, path: str) -> None:
    assert rest.call(method, PROXY + path, {}).error == (501, "NOT_IMPLEMENTED")


def test_a_run_of_the_library_looks_like_any_other(rest: Any) -> None:
    from kernel_tools import experiments

    with experiments.start_run("from the library", name="own", params={"a": 1}, workspace=rest.server.workspace) as run:
        run.log_metric("m", float("nan"), step=4, timestamp=7)
        run.log_text("hello", "notes/hello.txt")
    found = rest.ok("GET", "runs/get", {"run_id": run.id})["run"]
    assert (found["info"]["status"], found["info"]["run_name"]) == ("FINISHED", "own")
    assert found["data"]["metrics"] == [{"key": "m", "value": "NaN", "timestamp": 7, "step": 4}]
    assert {"key": "mlflow.runName", "value": "own"} in found["data"]["tags"]
    files = rest.ok("GET", "artifacts/list", {"run_id": run.id})["files"]
    assert {"path": "notes", "is_dir": True} in files
    experiment_id = found["info"]["experiment_id"]
    searched = rest.ok("POST", "runs/search", {"experiment_ids": [experiment_id]})["runs"]
    assert searched[0]["data"]["metrics"] == found["data"]["metrics"]


def test_a_page_of_another_origin_writes_nothing(rest: Any) -> None:
    headers = {"Authorization": "", "Cookie": "username=somebody", "Origin": "http://evil.example"}
    answer = rest.call("POST", PREFIXES[0] + "experiments/create", {"name": "evil"}, headers=headers)
    assert answer.status in (401, 403)
