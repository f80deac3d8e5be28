"""Models, versions and decisions over HTTP, on a real workspace."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

from kernel_tools import experiments, registry
from kernel_tools.core.workspace import Workspace


@pytest.fixture(autouse=True)
def versions(workspace: Workspace, run: experiments.Run) -> list[registry.ModelVersion]:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    return [registry.register("census", model, run=run, workspace=workspace) for _ in range(3)]


async def test_models_are_listed_with_their_counts(call: Any) -> None:
    page = (await call("GET", "/models")).json
    assert page["next_page_token"] is None
    (model,) = page["models"]
    assert (model["name"], model["version_count"], model["pending_count"]) == ("census", 3, 3)


async def test_versions_are_paged_the_newest_first(call: Any) -> None:
    first = (await call("GET", "/models/census/versions", params={"limit": 2})).json
    token = first["next_page_token"]
    rest = (await call("GET", "/models/census/versions", params={"limit": 2, "page_token": token})).json
    assert [version["version"] for page in (first, rest) for version in page["versions"]] == [3, 2, 1]
    assert rest["next_page_token"] is None


async def test_a_version_is_shown_with_the_run_that_made_it(call: Any, run: experiments.Run) -> None:
    detail = (await call("GET", "/models/census/versions/2")).json
    assert (detail["version"]["version"], detail["run"]["id"], detail["endpoints"]) == (2, run.id, [])
    linked = (await call("GET", f"/runs/{run.id}")).json["versions"]
    assert [version["version"] for version in linked] == [3, 2, 1]


async def test_a_version_without_a_run_has_none(call: Any, workspace: Workspace) -> None:
    registry.register("other", LogisticRegression().fit([[0.0], [1.0]], [0, 1]), workspace=workspace)
    assert (await call("GET", "/models/other/versions/1")).json["run"] is None


async def test_a_version_outlives_the_folder_of_its_run(call: Any, run: experiments.Run, workspace: Workspace) -> None:
    shutil.rmtree(workspace.folder("runs", run.id))
    assert (await call("GET", "/models/census/versions/1")).status == 200


async def test_home_shows_versions_that_await_approval(call: Any) -> None:
    home = (await call("GET", "/home")).json
    assert [version["version"] for version in home["pending_versions"]] == [3, 2, 1]
    assert (home["counts"]["models"], home["counts"]["pending_versions"]) == (1, 3)


async def test_a_decision_is_kept_and_audited(call: Any, workspace: Workspace) -> None:
    answer = await call("PUT", "/models/census/versions/1/approval", {"status": "Approved", "note": "good"})
    assert (answer.status, answer.json["status"], answer.json["note"]) == (200, "Approved", "good")
    assert registry.get("census", version=1, workspace=workspace).status is registry.VersionStatus.APPROVED
    assert next(iter(workspace.audit.records(limit=1, newest_first=True))).target == "census/1"


async def test_a_decision_is_one_of_three(call: Any) -> None:
    answer = await call("PUT", "/models/census/versions/1/approval", {"status": "Maybe"})
    assert answer.error == (422, "InvalidDataError")
    assert "'PendingManualApproval', 'Approved' or 'Rejected'" in answer.message


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/models/none/versions", 404),
        ("/models/none/versions/1", 404),
        ("/models/census/versions/9", 404),
        ("/models/census/versions/0", 422),
        ("/models/census/versions/one", 422),
        ("/models/census/versions/99999999999999999999", 422),
    ],
)
async def test_a_stale_link_says_what_is_missing(call: Any, path: str, status: int) -> None:
    answer = await call("GET", path)
    assert answer.status == status
    assert answer.message
