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


async def test_a_model_is_made_found_changed_renamed_and_deleted(call: Any) -> None:
    made = await call("POST", "/models", {"name": "Loans 2", "description": "d", "tags": {"team": "risk"}})
    assert (made.status, made.json["tags"]) == (201, {"team": "risk"})
    assert (await call("POST", "/models", {"name": "Loans 2"})).error == (409, "ConflictError")
    assert (await call("POST", "/models", {"name": "a/b"})).error == (400, "InvalidArgumentError")
    found = (await call("GET", "/models", params={"filter": "tags.team = 'risk'"})).json["models"]
    assert [model["name"] for model in found] == ["Loans 2"]
    change = {"name": "loans", "description": "new", "tags": {"team": None, "a": "b"}}
    changed = (await call("PATCH", "/models/Loans 2", change)).json
    assert (changed["name"], changed["description"], changed["tags"]) == ("loans", "new", {"a": "b"})
    assert (await call("GET", "/models/loans")).json == changed
    assert (await call("DELETE", "/models/loans")).status == 204
    assert (await call("GET", "/models/loans")).status == 404


async def test_a_filter_that_is_not_understood_is_400_with_its_position(call: Any) -> None:
    answer = await call("GET", "/models", params={"filter": "tags.team = risk"})
    assert answer.error == (400, "InvalidArgumentError")
    assert "position 13" in answer.message


async def test_a_version_is_described_licensed_tagged_and_staged(call: Any) -> None:
    change = {"description": "d", "licence": "MIT", "tags": {"a": "b", "c": None}, "stage": "Production"}
    changed = (await call("PATCH", "/models/census/versions/2", change)).json
    assert (changed["description"], changed["licence"], changed["tags"]) == ("d", "MIT", {"a": "b"})
    assert changed["stage"] == "Production"
    assert (await call("GET", "/models/census/versions/2")).json["version"] == changed
    assert (await call("PATCH", "/models/census/versions/2", {"stage": "Live"})).status == 422


async def test_a_version_is_deleted_and_stays_gone(call: Any) -> None:
    assert (await call("DELETE", "/models/census/versions/3")).status == 204
    assert (await call("GET", "/models/census/versions/3")).status == 404
    assert (await call("GET", "/models/census")).json["latest_version"] == 2


async def test_aliases_are_set_moved_and_deleted(call: Any) -> None:
    assert (await call("PUT", "/models/census/aliases/champion", {"version": 1})).json["aliases"] == {"champion": 1}
    assert (await call("PUT", "/models/census/aliases/champion", {"version": 2})).json["aliases"] == {"champion": 2}
    assert (await call("PUT", "/models/census/aliases/latest", {"version": 2})).status == 400
    assert (await call("DELETE", "/models/census/aliases/champion")).status == 204
    assert (await call("GET", "/models/census")).json["aliases"] == {}


async def test_a_promotion_is_kept_with_its_reason(call: Any) -> None:
    path = "/models/census/versions/2/promotion"
    done = (await call("POST", path, {"reason": "AUC 0.93 against 0.91"})).json
    assert (done["alias"], done["version"], done["previous_version"]) == ("champion", 2, None)
    assert (await call("GET", "/models/census/promotions")).json["promotions"] == [done]
    assert (await call("POST", path, {"reason": " "})).error == (400, "InvalidArgumentError")
    await call("PUT", "/models/census/versions/2/approval", {"status": "Rejected"})
    assert (await call("POST", path, {"reason": "again"})).error == (409, "ConflictError")


async def test_a_card_is_written_and_rendered(call: Any) -> None:
    path = "/models/census/versions/1/card"
    assert (await call("GET", path)).json == {"cards": [], "markdown": ""}
    await call("PUT", path, {"text": "# Census", "limits": "None known"})
    second = (await call("PUT", path, {"limits": "Not for 2030"})).json
    page = (await call("GET", path)).json
    assert ([card["revision"] for card in page["cards"]], page["cards"][0]) == ([2, 1], second)
    assert page["markdown"] == "# Census\n\n## Limits\n\nNot for 2030\n"
    assert (await call("GET", "/models/census/versions/1")).json["card"] == second


async def test_versions_are_compared(call: Any, workspace: Workspace) -> None:
    registry.get("census", 2, workspace=workspace).approve()
    keys = [{"model": "census", "version": number} for number in (1, 2)]
    reply = (await call("POST", "/models-comparison", {"versions": keys})).json
    assert [record["version"] for record in reply["versions"]] == [1, 2]
    rows = {(row["part"], row["name"]): row for row in reply["rows"]}
    assert rows["version", "status"]["values"] == ["PendingManualApproval", "Approved"]
    assert rows["metrics", "auc"] == {"part": "metrics", "name": "auc", "values": ["NaN", "NaN"], "is_different": False}
    shorter = (await call("POST", "/models-comparison", {"versions": keys, "differences_only": True})).json["rows"]
    assert all(row["is_different"] for row in shorter)
    assert (await call("POST", "/models-comparison", {"versions": keys[:1]})).status == 422


async def test_lineage_is_answered_with_its_figure(call: Any, run: experiments.Run) -> None:
    reply = (await call("GET", "/lineage", params={"node": "model/census/1"})).json
    assert {node["id"] for node in reply["lineage"]["nodes"]} == {"model/census/1", f"run/{run.id}"}
    assert {trace["name"] for trace in reply["figure"]["data"]} == {"run", "version"}
    assert (await call("GET", "/lineage", params={"node": "model/none/1"})).error == (404, "NotFoundError")


async def test_a_model_file_is_downloaded(call: Any, versions: list[registry.ModelVersion]) -> None:
    (file,) = versions[0].record.files
    answer = await call("GET", "/models/census/versions/1/files/content", params={"path": file.path})
    assert (answer.status, len(answer.content)) == (200, file.size)
    assert "attachment" in answer.headers["Content-Disposition"]
    missing = await call("GET", "/models/census/versions/1/files/content", params={"path": "absent"})
    assert missing.error == (404, "NotFoundError")


async def test_what_happened_to_a_version_is_told_also_under_an_earlier_name(call: Any) -> None:
    await call("PUT", "/models/census/versions/1/approval", {"status": "Approved", "note": "good"})
    await call("POST", "/models/census/versions/1/promotion", {"alias": "champion", "reason": "best"})
    await call("PUT", "/models/census/versions/2/approval", {"status": "Rejected", "note": "bad"})
    await call("PUT", "/models/census/aliases/champion", {"version": 2})
    await call("PATCH", "/models/census", {"name": "income"})
    history = (await call("GET", "/models/income/versions/1/events")).json
    actions = [event["action"] for event in history["events"]]
    assert actions == ["model.rename", "model.alias", "model.promote", "model.decide", "model.register"]
    decision = history["events"][3]
    assert (decision["details"]["note"], decision["details"]["status"]) == ("good", "Approved")
    assert "files" not in history["events"][4]["details"]
    assert history["is_complete"] is True


async def test_a_version_does_not_inherit_the_history_of_a_deleted_model(call: Any, workspace: Workspace) -> None:
    await call("PUT", "/models/census/versions/1/approval", {"status": "Approved", "note": "old"})
    await call("DELETE", "/models/census")
    registry.register("census", LogisticRegression().fit([[0.0], [1.0]], [0, 1]), workspace=workspace)
    events = (await call("GET", "/models/census/versions/1/events")).json["events"]
    assert [event["action"] for event in events] == ["model.register"]
