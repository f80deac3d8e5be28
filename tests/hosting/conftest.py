"""A workspace with registered models, and endpoints that end with the test that started them, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import kernel_tools as kt
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.folder import endpoint_folders
from kernel_tools.hosting.hosts import stop_host
from kernel_tools.hosting.process import find_servers, stop_process


def end_endpoints(workspace: Workspace) -> None:
    """Stop the host of the workspace, and kill whatever still serves a folder of it."""
    stop_host(workspace)
    for folder in endpoint_folders(workspace):
        for process in find_servers(folder.path):
            stop_process(process, grace=0.5)


@pytest.fixture(scope="session")
def census() -> SimpleNamespace:
    """A table like Adult: numbers, booleans and categories with missing values, and a model of it."""
    import xgboost

    random = np.random.default_rng(0)
    rows = 400
    X = pd.DataFrame(
        {
            "age": random.integers(17, 90, rows),
            "hours": random.normal(40, 12, rows),
            "is_married": random.random(rows) < 0.5,
            "job": pd.Categorical(random.choice(["tech", "sales", "farm"], rows)),
            "grade": pd.Categorical(random.choice([3, 1, 2], rows), categories=[3, 1, 2]),
        }
    )
    X.loc[::7, "job"] = None
    X.loc[::11, "hours"] = np.nan
    y = ((X["age"] > 40) ^ (X["job"] == "tech")).astype(int)
    model = xgboost.XGBClassifier(n_estimators=20, max_depth=4, enable_categorical=True, n_jobs=1).fit(X, y)
    row = {"age": 39, "hours": 41.5, "is_married": True, "job": "tech", "grade": 3}
    return SimpleNamespace(X=X, y=y, model=model, row=row)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, census: SimpleNamespace) -> Iterator[Workspace]:
    """A workspace with version 1 of "census", approved."""
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    kt.registry.register("census", census.model, sample_input=census.X.head(), workspace=workspace).approve()
    try:
        yield workspace
    finally:
        end_endpoints(workspace)


@pytest.fixture(scope="module")
def endpoint(workspace: Workspace) -> kt.hosting.Endpoint:
    """The census model in service, shared by a module's tests."""
    return kt.hosting.deploy("census", name="shared", workspace=workspace)


@pytest.fixture
def own_endpoint(workspace: Workspace) -> Iterator[kt.hosting.Endpoint]:
    """The census model in service, for one test that does it harm."""
    endpoint = kt.hosting.deploy("census", name="own", workspace=workspace)
    try:
        yield endpoint
    finally:
        folder = Path(workspace.root / "endpoints" / "own")
        for process in find_servers(folder):
            stop_process(process, grace=0.5)
        if folder.exists():
            endpoint.delete()
