"""No request is answered with a defect: every field of every endpoint takes every kind of value."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from studio_ext.mlflow.api import PARAMETER, Endpoint
from studio_ext.mlflow.endpoints import ENDPOINTS

VALUES = [
    None,
    "",
    " ",
    "0",
    "a",
    "../..",
    "a/b",
    "x" * 70_000,
    "\x00",
    "\ud800",
    "ünï\ncode",
    0,
    1,
    -1,
    2**31,
    2**63,
    1e400,
    1.5,
    True,
    [],
    {},
    [None],
    ["a"],
    [{}],
    [{"key": "a", "value": "b", "timestamp": 1}],
    [{"key": None}],
    {"a": 1},
    "NaN",
    "FINISHED",
    "name = 'a'",
    "metrics.a > 1 AND",
    "eyJvZmZzZXQiOiAxfQ==",
]
SEED = 20
REQUESTS = 25


def _ids(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.mark.parametrize("endpoint", ENDPOINTS.endpoints, ids=_ids)
def test_a_strange_request_is_refused_or_answered(spare_rest: Any, endpoint: Endpoint) -> None:
    rest = spare_rest  # what a strange request deletes is missed by nobody
    choose = random.Random(f"{SEED} {_ids(endpoint)}")
    experiment_id = rest.ok("POST", "experiments/create", {"name": uuid.uuid4().hex})["experiment_id"]
    run_id = rest.ok("POST", "runs/create", {"experiment_id": experiment_id})["run"]["info"]["run_id"]
    known = {
        "run_id": run_id,
        "experiment_id": experiment_id,
        "run_ids": [run_id],
        "experiment_ids": [experiment_id],
        "key": "a",
        "name": "a",
    }
    for _ in range(REQUESTS):
        request = {name: choose.choice([*VALUES, known.get(name)]) for name in endpoint.message.fields}
        request |= {name: value for name, value in known.items() if name in request and choose.random() < 0.5}
        path = PARAMETER.sub("m-1", endpoint.path)
        if endpoint.method == "GET":
            request = {
                name: value for name, value in request.items() if not isinstance(value, dict) and value != "\ud800"
            }
            request = {
                name: str(value)[:500] if not isinstance(value, list) else ["a"] for name, value in request.items()
            }
        answer = rest.api(endpoint.method, path, request)
        assert answer.status < 500, (request, answer.content)
        assert answer.json is not None
