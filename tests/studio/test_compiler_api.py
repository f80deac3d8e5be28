"""Compiling over HTTP: a job makes the package, and it stands with its version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from kernel_tools import jobs, registry
from kernel_tools.core.workspace import Workspace

PACKAGES = "/models/rows/versions/1/packages"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    place = Workspace(tmp_path / "workspace")
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "c"])
    rows.to_csv(tmp_path / "rows.csv", index=False)
    model = LogisticRegression().fit(rows, rows.a > 0)
    registry.register("rows", model, sample_input=rows.head(), workspace=place)
    registry.register("bare", model, workspace=place)
    return place


async def test_a_version_is_compiled_in_a_job(call: Any, workspace: Workspace, tmp_path: Path) -> None:
    assert (await call("GET", PACKAGES)).json == {"packages": [], "total": 0}
    begun = await call("POST", PACKAGES, {"target": "onnx", "sample": str(tmp_path / "rows.csv")})
    assert begun.status == 201
    job = jobs.get(begun.json["job"], workspace=workspace)
    job.wait()
    assert job.status == jobs.JobState.COMPLETED, job.logs()
    (package,) = (await call("GET", PACKAGES)).json["packages"]
    assert (package["target"], package["rows"]) == ("onnx", 60)
    assert {line["target"] for line in package["candidates"]} >= {"onnx"}


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (PACKAGES, {"target": "neo"}, 400, "neo"),
        (PACKAGES, {"sample": "/nowhere/rows.csv"}, 404, "There is no sample"),
        ("/models/bare/versions/1/packages", {}, 400, "give sample="),
        ("/models/rows/versions/9/packages", {}, 404, "9"),
        (PACKAGES, {"goal": "onnx"}, 422, "goal"),
    ],
)
async def test_what_cannot_be_compiled_is_refused(call: Any, path: str, body: Any, status: int, message: str) -> None:
    answer = await call("POST", path, body)
    assert answer.error[0] == status
    assert message in answer.message
