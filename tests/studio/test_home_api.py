"""The overview, the handshake and what kernels are told."""

from __future__ import annotations

import os
from typing import Any

import pytest

import studio_ext
from kernel_tools import experiments
from kernel_tools.core.audit import current_user
from kernel_tools.core.workspace import Workspace


async def test_a_new_workspace_is_empty(call: Any) -> None:
    home = (await call("GET", "/home")).json
    assert home["is_empty"] is True
    assert set(home["counts"].values()) == {0}


async def test_home_shows_what_runs_and_what_ran(call: Any, run: experiments.Run, workspace: Workspace) -> None:
    running = experiments.start_run("census", name="second", workspace=workspace)
    home = (await call("GET", "/home")).json
    assert home["is_empty"] is False
    assert [record["id"] for record in home["running_runs"]] == [running.id]
    assert {record["id"] for record in home["recent_runs"]} == {run.id, running.id}
    assert home["counts"] | {"experiments": 1, "runs": 2, "running_runs": 1} == home["counts"]
    running.finish()


async def test_the_handshake_names_version_workspace_and_user(call: Any, workspace: Workspace) -> None:
    assert (await call("GET", "/version")).json == {
        "version": studio_ext.__version__,
        "api_version": 1,
        "workspace": str(workspace.root),
        "user": current_user(),
    }


async def test_kernels_are_told_where_workspace_and_server_are(jp_serverapp: Any, workspace: Workspace) -> None:
    await jp_serverapp.extension_manager.start_all_extensions()
    assert os.environ["ATELIER_HOME"] == str(workspace.root)
    assert os.environ["ATELIER_SERVER_URL"] == f"http://localhost:{jp_serverapp.port}/a%40b"


class TestSettings:
    """Settings of the extension reach the workspace and the kernels."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Any, workspace: Workspace) -> Any:
        jp_server_config.StudioApp.database_url = f"sqlite:///{workspace.root / 'other.db'}"
        jp_server_config.StudioApp.artifact_root = (workspace.root / "elsewhere").as_uri()
        return jp_server_config

    async def test_the_catalog_and_the_artifacts_are_where_the_settings_say(
        self, call: Any, workspace: Workspace, jp_server_config: Any
    ) -> None:
        assert (await call("GET", "/home")).status == 200
        assert (workspace.root / "other.db").is_file()
        assert os.environ["ATELIER_DATABASE_URL"] == jp_server_config.StudioApp.database_url
        assert os.environ["ATELIER_ARTIFACT_ROOT"] == jp_server_config.StudioApp.artifact_root


def test_jupyter_finds_the_extension_and_its_panels() -> None:
    (point,) = studio_ext._jupyter_server_extension_points()
    assert point["app"].name == "studio_ext"
    found = {one["dest"]: one["src"] for one in studio_ext._jupyter_labextension_paths()}
    assert found == {"jupyter-atelier": "labextension", "jupyter-atelier-widget": "labextension-widget"}


async def test_a_failed_run_asks_for_attention_for_a_week(call: Any, workspace: Workspace) -> None:
    run = experiments.start_run("census", name="broken", workspace=workspace)
    run.finish("FAILED")
    assert [record["id"] for record in (await call("GET", "/home")).json["failed_runs"]] == [run.id]
