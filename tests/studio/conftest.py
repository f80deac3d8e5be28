"""A real Jupyter server with the extension, on a workspace of its own."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403  # fixtures and hooks, for this folder only
from tornado.httputil import HTTPHeaders
from traitlets.config import Config

from kernel_tools import experiments, hosting, registry
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger.session import debugger_folder
from scripts.recorded_run import write_recorded_run


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: HTTPHeaders
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    @property
    def error(self) -> tuple[int, str]:
        assert set(self.json) == {"error"}
        return self.status, self.json["error"]["code"]

    @property
    def message(self) -> str:
        return self.json["error"]["message"]


Call = Callable[..., Awaitable[Answer]]


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extension tells kernels things by the environment; what it sets is undone after the test."""
    for name in ("ATELIER_HOME", "ATELIER_SERVER_URL", "ATELIER_DATABASE_URL", "ATELIER_ARTIFACT_ROOT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def jp_server_config(workspace: Workspace) -> Config:
    return Config(
        {
            "ServerApp": {"jpserver_extensions": {"studio_ext": True}, "allow_unauthenticated_access": False},
            "StudioApp": {"workspace": str(workspace.root)},
        }
    )


@pytest.fixture
def call(jp_fetch: Any) -> Call:
    """Call a path below /studio/api; a body that is not bytes is sent as JSON."""

    async def send(method: str, path: str, body: object = None, **options: Any) -> Answer:
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        base = options.pop("base", "studio/api")
        response = await jp_fetch(
            base + path,
            method=method,
            body=raw,
            raise_error=False,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            **options,
        )
        return Answer(response.code, response.headers, response.body or b"")

    return send


@pytest.fixture
def run(workspace: Workspace, tmp_path: Path) -> experiments.Run:
    """A finished run with three points of a metric, the last of them not a number, and a page as its artifact."""
    page = tmp_path / "page.html"
    page.write_text("<script>alert(1)</script>")
    with experiments.start_run("census", name="first", params={"depth": 6}, workspace=workspace) as run:
        for value in (0.5, float("inf"), float("nan")):
            run.log_metric("auc", value)
        run.log_artifact(page, "reports")
    return run


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with a watched run, two versions of a classifier made by it, and an endpoint that serves one."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    workspace = Workspace(tmp_path_factory.mktemp("served"))
    page = workspace.root / "page.html"
    page.write_text("<b>report</b>")
    rows = pd.DataFrame({"age": [20.0, 30.0, 50.0, 60.0], "hours": [10.0, 20.0, 40.0, 50.0]})
    model = LogisticRegression().fit(rows, ["poor", "poor", "rich", "rich"])
    with experiments.start_run("census", name="first", params={"C": 1.0}, workspace=workspace) as run:
        run.log_metrics({"auc": 0.9, "loss": float("nan")})
        run.log_artifact(page)
        write_recorded_run(debugger_folder(workspace, run.id))
        registry.register("census", model, run=run, sample_input=rows, workspace=workspace)
        registry.register("census", model, run=run, sample_input=rows, workspace=workspace)
    endpoint = hosting.deploy("census", version=1, name="census", workspace=workspace)
    yield workspace
    endpoint.delete()
