"""Experiments and runs over HTTP, on a real workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tornado.httputil import url_concat

from kernel_tools import experiments
from kernel_tools.core.workspace import Workspace


async def test_experiments_are_paged(call: Any, workspace: Workspace) -> None:
    for name in ("one", "two", "three"):
        experiments.start_run(name, workspace=workspace).finish()
    first = (await call("GET", "/experiments", params={"limit": 2})).json
    assert len(first["experiments"]) == 2
    rest = (await call("GET", "/experiments", params={"limit": 2, "page_token": first["next_page_token"]})).json
    assert rest["next_page_token"] is None
    names = {experiment["name"] for page in (first, rest) for experiment in page["experiments"]}
    assert names == {"one", "two", "three"}


@pytest.mark.parametrize("limit", ["0", "1001", "many", "-1"])
async def test_a_page_has_1_to_1000_items(call: Any, limit: str) -> None:
    answer = await call("GET", "/runs", params={"limit": limit})
    assert answer.error == (422, "InvalidDataError")
    assert "query.limit" in answer.message


async def test_a_page_token_of_another_kind_is_refused(call: Any) -> None:
    assert (await call("GET", "/runs", params={"page_token": "no"})).error == (400, "InvalidArgumentError")


async def test_page_size_of_the_server_is_the_default(call: Any, workspace: Workspace, jp_serverapp: Any) -> None:
    for _ in range(3):
        experiments.start_run("census", workspace=workspace).finish()
    jp_serverapp.extension_manager.extension_points["studio_ext"].app.page_size = 2
    assert len((await call("GET", "/runs")).json["runs"]) == 2


async def test_runs_are_filtered_and_ordered(call: Any, workspace: Workspace) -> None:
    for experiment, auc in (("a", 0.7), ("a", 0.9), ("b", 0.8), ("c", 0.95)):
        with experiments.start_run(experiment, name=f"run {auc}", workspace=workspace) as run:
            run.log_metric("auc", auc)
    query = [("experiment", "a"), ("experiment", "b"), ("filter", "metrics.auc > 0.75"), ("order_by", "metrics.auc")]
    runs = (await call("GET", "/runs", params=query)).json["runs"]
    assert [run["name"] for run in runs] == ["run 0.8", "run 0.9"]


async def test_a_bad_filter_is_400_with_its_position(call: Any) -> None:
    answer = await call("GET", "/runs", params={"filter": "metrics.auc >"})
    assert answer.error == (400, "InvalidArgumentError")
    assert "position 14" in answer.message


@pytest.mark.parametrize(
    "text", ["(" * 1900, "started_at > 1e999", "started_at > 99999999999999999999", "metrics.", "name = '", "\\"]
)
async def test_no_filter_is_a_defect(call: Any, text: str) -> None:
    assert (await call("GET", "/runs", params={"filter": text})).error == (400, "InvalidArgumentError")


async def test_a_run_is_shown_with_what_it_kept(call: Any, run: experiments.Run) -> None:
    detail = (await call("GET", f"/runs/{run.id}")).json
    assert detail["run"]["id"] == run.id
    assert detail["run"]["status"] == "FINISHED"
    assert detail["run"]["params"] == {"depth": "6"}
    assert detail["run"]["metrics"] == {"auc": "NaN"}
    assert [artifact["path"] for artifact in detail["artifacts"]] == ["reports/page.html"]
    assert (detail["versions"], detail["endpoints"]) == ([], [])


async def test_a_page_of_runs_may_hold_nan(call: Any, run: experiments.Run) -> None:
    assert (await call("GET", "/runs")).json["runs"][0]["metrics"] == {"auc": "NaN"}


@pytest.mark.parametrize("path", ["", "/history?key=auc", "/figures/metrics?key=auc", "/artifacts/content?path=a"])
async def test_an_unknown_run_is_404(call: Any, path: str) -> None:
    route, _, query = path.partition("?")
    answer = await call("GET", f"/runs/gone{route}", params=dict([query.split("=")]) if query else None)
    assert answer.error == (404, "NotFoundError")
    assert "gone" in answer.message


async def test_a_history_has_every_point(call: Any, run: experiments.Run) -> None:
    history = (await call("GET", f"/runs/{run.id}/history", params={"key": "auc"})).json
    assert history["steps"] == [0, 1, 2]
    assert history["values"] == [0.5, "Infinity", "NaN"]
    assert len(history["timestamps"]) == 3
    assert (history["key"], history["exact"], history["point_count"]) == ("auc", True, 3)


async def test_a_long_history_says_that_it_was_thinned(call: Any, workspace: Workspace) -> None:
    with experiments.start_run("census", workspace=workspace) as run:
        for step in range(500):
            run.log_metric("loss", float(step))
    history = (await call("GET", f"/runs/{run.id}/history", params={"key": "loss", "max_points": 40})).json
    assert len(history["steps"]) <= 40
    assert (history["exact"], history["point_count"]) == (False, 500)


async def test_an_unknown_metric_is_404_and_names_those_that_exist(call: Any, run: experiments.Run) -> None:
    answer = await call("GET", f"/runs/{run.id}/history", params={"key": "loss"})
    assert answer.error == (404, "NotFoundError")
    assert "auc" in answer.message


async def test_metrics_are_drawn_as_a_plotly_figure(call: Any, run: experiments.Run) -> None:
    figure = (await call("GET", f"/runs/{run.id}/figures/metrics", params={"key": "auc"})).json["figure"]
    assert [trace["name"] for trace in figure["data"]] == ["auc"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "step"


async def test_a_figure_needs_a_metric(call: Any, run: experiments.Run) -> None:
    assert (await call("GET", f"/runs/{run.id}/figures/metrics")).error == (422, "InvalidDataError")


async def test_an_artifact_is_a_download_that_no_browser_runs(call: Any, run: experiments.Run) -> None:
    answer = await call("GET", f"/runs/{run.id}/artifacts/content", params={"path": "reports/page.html"})
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''page.html"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


async def test_a_large_artifact_arrives_whole(call: Any, workspace: Workspace, tmp_path: Path) -> None:
    content = bytes(range(256)) * 12_000
    (tmp_path / "large.bin").write_bytes(content)
    with experiments.start_run("census", workspace=workspace) as run:
        run.log_artifact(tmp_path / "large.bin")
    answer = await call("GET", f"/runs/{run.id}/artifacts/content", params={"path": "large.bin"})
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.content == content


async def test_a_damaged_artifact_is_a_conflict_and_not_half_a_file(
    call: Any, run: experiments.Run, workspace: Workspace
) -> None:
    sha256 = run.artifacts[0].sha256
    (blob,) = (workspace.root / "blobs").rglob(sha256)
    blob.chmod(0o600)
    blob.write_bytes(b"<script>alert(2)</script>")
    answer = await call("GET", f"/runs/{run.id}/artifacts/content", params={"path": "reports/page.html"})
    assert answer.status == 409
    assert sha256 in answer.message


@pytest.mark.parametrize(
    "path", ["../run.json", "/etc/passwd", "reports/../../run.json", "reports", "reports\\page.html"]
)
async def test_no_path_leads_out_of_a_runs_artifacts(call: Any, run: experiments.Run, path: str) -> None:
    answer = await call("GET", f"/runs/{run.id}/artifacts/content", params={"path": path})
    assert answer.status in (400, 404)


@pytest.mark.parametrize("name", ["..%2F..", "%2e%2e", "%2Fetc%2Fpasswd", "a%00b", "-rf", "%ff"])
async def test_no_name_leads_out_of_the_runs(
    http_server_client: Any, jp_auth_header: Any, jp_base_url: str, name: str
) -> None:
    url = url_concat(f"{jp_base_url}studio/api/runs/{name}/artifacts/content", {"path": "run.json"})
    response = await http_server_client.fetch(url, headers=jp_auth_header, raise_error=False)
    assert response.code in (400, 404)
